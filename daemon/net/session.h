// Session: one client's socket: bytes in, frames to the dispatcher; frames out, bytes.
//
// Frames that are sent while the loop handles events leave together in one write at the end of the turn. A session never
// stops reading, so that a cancel always arrives. Loop thread.
#pragma once

#include <span>

#include "daemon/base/thread_annotations.h"
#include "daemon/core/dispatcher.h"
#include "daemon/core/reply_sink.h"
#include "daemon/net/uv_handle.h"
#include "protocol/flat_queue.h"
#include "protocol/frame_reader.h"
#include "protocol/ring_pair.h"

namespace skua {

class Server;

class Session final : public ReplySink {
 public:
  Session(Server& server, Dispatcher& dispatcher);
  ~Session() override;

  // Takes the connection that waits at the listener. False if it is gone or not welcome; the peer was told why.
  bool accept(uv_stream_t* listener, uv_loop_t& loop) SKUA_REQUIRES(loop_thread);

  void send(Frame frame) override SKUA_REQUIRES(loop_thread);
  std::size_t unsent_bytes() const override SKUA_REQUIRES(loop_thread) { return unsent_bytes_; }
  void close() override SKUA_REQUIRES(loop_thread);
  Status share_rings(std::uint64_t request) override SKUA_REQUIRES(loop_thread);

  // Carries out what the client has put into its ring. False: there was nothing, or there is no ring.
  bool read_ring() SKUA_REQUIRES(loop_thread);
  // Nobody looks into the ring any more until the client rings. False: there is something in it.
  bool leave_ring() SKUA_REQUIRES(loop_thread);
  // When something was in the ring for the last time.
  std::uint64_t ring_used_us() const { return ring_used_us_; }

  // At the end of a turn: writes what was sent, and ends the session if that was asked for and all is written.
  void flush() SKUA_REQUIRES(loop_thread);
  // At once, whatever is unsent.
  void disconnect() SKUA_REQUIRES(loop_thread);
  bool is_disconnected() const { return pipe_ == nullptr; }

  // For the server's list of sessions to flush, and of those in whose rings it looks.
  bool is_dirty = false;
  bool is_watched = false;

 private:
  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(pipe_.get()); }
  PeerIdentity peer_identity() const;
  void on_read(ssize_t bytes) SKUA_REQUIRES(loop_thread);
  // Those that are complete now.
  void take_frames() SKUA_REQUIRES(loop_thread);
  void take_frame(FrameReader& reader, FrameView frame, std::uint64_t now_us) SKUA_REQUIRES(loop_thread);
  // Sends what is unsent through the ring, if that is the way. False: it goes by the socket.
  bool flush_to_ring() SKUA_REQUIRES(loop_thread);
  bool ring_bell() SKUA_REQUIRES(loop_thread);
  bool send_control(RingControl control) SKUA_REQUIRES(loop_thread);
  void on_written(int status) SKUA_REQUIRES(loop_thread);
  // One write to the socket, as far as that does not wait: so many bytes, or an error of libuv's.
  int write_some() SKUA_REQUIRES(loop_thread);
  // Drops the first `bytes` of what is unsent.
  void consume(std::size_t bytes) SKUA_REQUIRES(loop_thread);
  // What is to be written next; returns how many buffers that are.
  std::size_t fill(std::span<uv_buf_t> buffers) SKUA_REQUIRES(loop_thread);

  Server& server_;
  Dispatcher& dispatcher_;
  UvHandle<uv_pipe_t> pipe_;
  UvHandle<uv_timer_t> linger_;
  FrameReader reader_;
  SessionState* state_ SKUA_GUARDED_BY(loop_thread) = nullptr;
  std::unique_ptr<RingPair> rings_ SKUA_GUARDED_BY(loop_thread);
  std::uint64_t ring_used_us_ = 0;
  bool may_write_ring_ SKUA_GUARDED_BY(loop_thread) = false;
  // The first frames belong to the write under way, if there is one; front_offset_ bytes of the first are written.
  FlatQueue<Frame> unsent_ SKUA_GUARDED_BY(loop_thread);
  std::size_t front_offset_ SKUA_GUARDED_BY(loop_thread) = 0;
  std::size_t unsent_bytes_ SKUA_GUARDED_BY(loop_thread) = 0;
  std::size_t writing_bytes_ SKUA_GUARDED_BY(loop_thread) = 0;
  bool closing_ SKUA_GUARDED_BY(loop_thread) = false;
  uv_write_t write_ = {};
};

}  // namespace skua
