#include "tests/isolation/dependency_graph.h"

#include <algorithm>
#include <deque>
#include <tuple>
#include <unordered_map>

namespace skua::test {

namespace {

constexpr std::uint32_t kUnseen = ~std::uint32_t{0};
// From how many nodes of a component a cycle is looked for, to show the shortest of them.
constexpr std::size_t kTriedMax = 50;

}  // namespace

std::string_view to_string(EdgeKind kind) {
  switch (kind) {
    case kWriteWrite:
      return "ww";
    case kWriteRead:
      return "wr";
    case kReadWrite:
      return "rw";
    case kRealTime:
      return "before";
  }
  return "";
}

void DependencyGraph::add(std::uint32_t from, std::uint32_t to, EdgeKind kind) {
  if (from == to) return;
  edges_.push_back({from, to, kind});
  is_indexed_ = false;
}

void DependencyGraph::add_real_time(const std::vector<Moments>& moments) {
  // At the same nanosecond nothing is before the other: beginnings sort first.
  std::vector<std::tuple<std::int64_t, bool, std::uint32_t>> events;
  for (std::uint32_t node = 0; node < node_count_; ++node) {
    events.emplace_back(moments[node].begun_ns, false, node);
    if (moments[node].ended_ns) events.emplace_back(*moments[node].ended_ns, true, node);
  }
  std::sort(events.begin(), events.end());
  // Ends gather in the open moment; the next beginning closes it.
  std::uint32_t open = node_count_;
  bool has_ends = false;
  for (const auto& [ns, is_end, node] : events) {
    if (is_end) {
      add(node, open, kRealTime);
      has_ends = true;
      continue;
    }
    if (has_ends) {
      add(open, open + 1, kRealTime);
      ++open;
      has_ends = false;
    }
    if (open > node_count_) add(open - 1, node, kRealTime);
  }
  moment_count_ = open + 1 - node_count_;
}

void DependencyGraph::index() {
  if (is_indexed_) return;
  const std::size_t nodes = node_count_ + moment_count_;
  std::sort(edges_.begin(), edges_.end(), [](const Edge& a, const Edge& b) { return a.from < b.from; });
  first_edges_.assign(nodes + 1, 0);
  for (const Edge& edge : edges_) ++first_edges_[edge.from + 1];
  for (std::size_t i = 0; i < nodes; ++i) first_edges_[i + 1] += first_edges_[i];
  is_indexed_ = true;
}

// Tarjan's strongly connected components, with a stack of its own: the graph is as deep as the history is long.
std::vector<std::uint32_t> DependencyGraph::components(std::uint8_t kinds) const {
  const std::uint32_t nodes = node_count_ + moment_count_;
  std::vector<std::uint32_t> order(nodes, kUnseen);
  std::vector<std::uint32_t> lowest(nodes, 0);
  std::vector<std::uint32_t> component(nodes, kUnseen);
  std::vector<std::uint32_t> unassigned;
  std::vector<std::pair<std::uint32_t, std::size_t>> path;  // a node and its next edge
  std::uint32_t next_order = 0;
  std::uint32_t next_component = 0;
  const auto enter = [&](std::uint32_t node) {
    order[node] = lowest[node] = next_order++;
    unassigned.push_back(node);
    path.emplace_back(node, first_edges_[node]);
  };
  for (std::uint32_t root = 0; root < nodes; ++root) {
    if (order[root] == kUnseen) enter(root);
    while (!path.empty()) {
      const std::uint32_t node = path.back().first;
      if (path.back().second < first_edges_[node + 1]) {
        const Edge& edge = edges_[path.back().second++];
        if ((edge.kind & kinds) == 0) continue;
        if (order[edge.to] == kUnseen) {
          enter(edge.to);
        } else if (component[edge.to] == kUnseen) {
          lowest[node] = std::min(lowest[node], order[edge.to]);
        }
        continue;
      }
      path.pop_back();
      if (!path.empty()) lowest[path.back().first] = std::min(lowest[path.back().first], lowest[node]);
      if (lowest[node] != order[node]) continue;
      std::uint32_t member = kUnseen;
      do {
        member = unassigned.back();
        unassigned.pop_back();
        component[member] = next_component;
      } while (member != node);
      ++next_component;
    }
  }
  return component;
}

DependencyGraph::Cycle DependencyGraph::short_cycle(std::uint32_t node,
                                                    const std::vector<std::uint32_t>& components,
                                                    std::uint8_t kinds) const {
  // Breadth first, from the node back to itself.
  std::unordered_map<std::uint32_t, Step> reached_from;
  std::deque<std::uint32_t> waiting{node};
  while (!waiting.empty()) {
    const std::uint32_t at = waiting.front();
    waiting.pop_front();
    for (std::size_t i = first_edges_[at]; i < first_edges_[at + 1]; ++i) {
      const Edge& edge = edges_[i];
      if ((edge.kind & kinds) == 0 || components[edge.to] != components[node]) continue;
      if (!reached_from.emplace(edge.to, Step{at, edge.kind}).second) continue;
      if (edge.to != node) {
        waiting.push_back(edge.to);
        continue;
      }
      Cycle cycle;
      std::uint32_t back = node;
      do {
        cycle.push_back(reached_from.at(back));
        back = cycle.back().node;
      } while (back != node);
      std::reverse(cycle.begin(), cycle.end());
      return cycle;
    }
  }
  return {};
}

// Several real-time edges in a row, by way of moments, are one.
DependencyGraph::Cycle DependencyGraph::without_moments(const Cycle& cycle) const {
  Cycle shorter;
  for (const Step& step : cycle) {
    if (step.node < node_count_) shorter.push_back(step);
  }
  return shorter;
}

std::vector<DependencyGraph::Cycle> DependencyGraph::cycles(std::uint8_t kinds) {
  index();
  const std::vector<std::uint32_t> component = components(kinds);
  std::vector<std::uint32_t> sizes(component.size(), 0);
  for (const std::uint32_t number : component) ++sizes[number];
  std::unordered_map<std::uint32_t, Cycle> shortest;  // by component
  std::unordered_map<std::uint32_t, std::size_t> tried;
  for (std::uint32_t node = 0; node < node_count_; ++node) {
    if (sizes[component[node]] < 2 || ++tried[component[node]] > kTriedMax) continue;
    Cycle cycle = without_moments(short_cycle(node, component, kinds));
    Cycle& best = shortest[component[node]];
    if (best.empty() || cycle.size() < best.size()) best = std::move(cycle);
  }
  std::vector<Cycle> found;
  for (auto& [number, cycle] : shortest) found.push_back(std::move(cycle));
  return found;
}

}  // namespace skua::test
