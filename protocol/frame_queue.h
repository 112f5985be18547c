// FrameQueue: frames in the order in which they are to go. Keeps its memory when it runs empty. One thread at a time.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "protocol/frame.h"

namespace skua {

class FrameQueue {
 public:
  bool empty() const { return first_ == frames_.size(); }
  std::size_t size() const { return frames_.size() - first_; }
  // There must be one.
  Frame& front() { return frames_[first_]; }
  const Frame& front() const { return frames_[first_]; }
  const Frame& back() const { return frames_.back(); }
  auto begin() const { return frames_.begin() + static_cast<std::ptrdiff_t>(first_); }
  auto end() const { return frames_.end(); }

  void push_back(Frame frame) {
    // A queue that never runs empty must not grow for ever. Each frame is moved once for each time it could have been.
    if (first_ >= kGapMin && first_ * 2 >= frames_.size()) drop_gap();
    frames_.push_back(std::move(frame));
  }
  void pop_front() {
    frames_[first_++] = Frame();
    if (empty()) clear();
  }
  void clear() {
    frames_.clear();
    first_ = 0;
  }

 private:
  static constexpr std::size_t kGapMin = 32;

  void drop_gap() {
    frames_.erase(frames_.begin(), frames_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }

  std::vector<Frame> frames_;
  std::size_t first_ = 0;
};

}  // namespace skua
