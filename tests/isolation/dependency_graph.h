// DependencyGraph: which transaction must come before which. A cycle of such edges is an anomaly: no order of
// the transactions explains what was seen.
//
// Nodes are numbered from 0. Work and memory are linear in nodes and edges, but for the sorting of the moments.
// One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace skua::test {

// Adya's dependencies, and the clock.
enum EdgeKind : std::uint8_t {
  kWriteWrite = 1,  // the second appended behind the first
  kWriteRead = 2,   // the second saw what the first appended
  kReadWrite = 4,   // the first did not see what the second appended
  kRealTime = 8,    // the first had ended before the second began
};
std::string_view to_string(EdgeKind kind);

class DependencyGraph {
 public:
  // What is known of a node's time. Without an end it precedes nothing by the clock.
  struct Moments {
    std::int64_t begun_ns = 0;
    std::optional<std::int64_t> ended_ns;
  };
  struct Step {
    std::uint32_t node;
    EdgeKind kind;  // of the edge to the next step's node; the last leads back to the first
  };
  using Cycle = std::vector<Step>;

  explicit DependencyGraph(std::uint32_t node_count) : node_count_(node_count) {}

  void add(std::uint32_t from, std::uint32_t to, EdgeKind kind);
  // The real-time edges of all nodes, by way of a few nodes more: one for each time that something begins after
  // something ended.
  void add_real_time(const std::vector<Moments>& moments);

  // A short cycle of edges of these kinds (a union of EdgeKind) from each part of the graph that has any.
  std::vector<Cycle> cycles(std::uint8_t kinds);

 private:
  struct Edge {
    std::uint32_t from;
    std::uint32_t to;
    EdgeKind kind;
  };

  void index();
  std::vector<std::uint32_t> components(std::uint8_t kinds) const;
  Cycle short_cycle(std::uint32_t node, const std::vector<std::uint32_t>& components, std::uint8_t kinds) const;
  Cycle without_moments(const Cycle& cycle) const;

  const std::uint32_t node_count_;
  std::uint32_t moment_count_ = 0;  // nodes behind the others, which stand for moments
  std::vector<Edge> edges_;         // sorted by `from` after index()
  std::vector<std::size_t> first_edges_;
  bool is_indexed_ = false;
};

}  // namespace skua::test
