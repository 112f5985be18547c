// report_as_html: well-formed whatever is in the report, and complete in itself.
#include <criterion/criterion.h>

#include <string>
#include <vector>

#include "bench/report.h"

using namespace skua::bench;

namespace {

// Whether each tag is closed, in order, and every & begins an entity of XML. No attribute here has a > in it.
void expect_well_formed(std::string_view html) {
  std::vector<std::string> open;
  for (std::size_t at = html.find('<'); at != std::string_view::npos; at = html.find('<', at)) {
    const std::size_t end = html.find('>', at);
    cr_assert_neq(end, std::string_view::npos);
    const std::string_view tag = html.substr(at + 1, end - at - 1);
    at = end;
    if (tag.starts_with('!') || tag.ends_with('/')) continue;
    const std::string name(tag.substr(0, tag.find_first_of(" \n")));
    if (!name.starts_with('/')) {
      open.push_back(name);
      continue;
    }
    cr_assert(!open.empty() && "/" + open.back() == name, "%s closes %s", name.c_str(),
              open.empty() ? "nothing" : open.back().c_str());
    open.pop_back();
  }
  cr_assert(open.empty());
  for (std::size_t at = html.find('&'); at != std::string_view::npos; at = html.find('&', at + 1)) {
    const std::string_view rest = html.substr(at, 6);
    cr_assert(rest.starts_with("&amp;") || rest.starts_with("&lt;") || rest.starts_with("&gt;") || rest == "&quot;",
              "a bare &: %.20s", std::string(html.substr(at, 20)).c_str());
  }
}

RoleResult role_of(std::string role, std::string scene, int operations) {
  RoleResult result;
  result.role = std::move(role);
  result.scene = std::move(scene);
  result.unit = "rows";
  Measurement measured;
  for (int i = 0; i < operations; ++i) measured.latencies.add(std::chrono::microseconds(20 + i));
  measured.operations = static_cast<std::uint64_t>(operations);
  measured.units_per_second = operations;
  result.add(measured);
  measured.units_per_second = operations * 1.1;
  result.add(measured);
  return result;
}

ContestantResult contestant_of(std::string name, int operations) {
  ContestantResult contestant;
  contestant.name = std::move(name);
  contestant.scenes.push_back({"", {role_of("", "", operations)}, 0.5, 1 << 20, {}});
  return contestant;
}

ContestResult contest_of(std::size_t clients) {
  ContestResult contest{"insert", "rows < \"all\" & more", "rows", clients, {}, {}};
  contest.contestants.push_back(contestant_of("skua", 1'000));
  contest.contestants.push_back(contestant_of("a peer & <others>", 300));
  contest.contestants.push_back(contestant_of("does nothing", 0));
  contest.contestants.back().scenes[0].roles[0].errors = 1;
  contest.contestants.back().scenes[0].roles[0].first_error = "no such \x01 thing: <nil>";
  contest.missing.push_back({"redis", "it is not \"here\""});
  return contest;
}

ContestResult contest_with_roles() {
  ContestResult contest{"mixed", "both", "operations", 4, {}, {}};
  ContestantResult& skua = contest.contestants.emplace_back();
  skua.name = "skua";
  skua.scenes.push_back({"mixed", {role_of("read", "mixed", 500), role_of("write", "mixed", 50)}, 0.5, std::nullopt, {}});
  skua.scenes.push_back({"alone", {role_of("read", "alone", 900)}, std::nullopt, std::nullopt, {}});
  skua.scenes[0].figures.push_back({"memory", "MiB", 10.0, {9, 11}});
  skua.goals.push_back({"read", "mixed", "alone", 3, {2, 2.5}});
  return contest;
}

Report report_of(std::vector<ContestResult> results) {
  Report report;
  report.environment.cpu = "a CPU <fast> & small";
  report.results = std::move(results);
  return report;
}

bool has(const std::string& text, std::string_view what) { return text.find(what) != std::string::npos; }

}  // namespace

Test(report_html, is_well_formed_and_needs_nothing_from_elsewhere) {
  const std::string html = report_as_html(report_of({contest_of(1), contest_of(8), contest_with_roles()}));
  expect_well_formed(html);
  for (const std::string_view outside : {"<script", "<link", "<img", "url(", "@import", "src="}) {
    cr_assert_not(has(html, outside), "%s", std::string(outside).c_str());
  }
  cr_assert(has(html, "a peer &amp; &lt;others&gt;"));
  cr_assert_not(has(html, "\x01"));
}

Test(report_html, is_well_formed_without_results) { expect_well_formed(report_as_html(report_of({}))); }

Test(report_html, numbers_of_clients_make_a_plot_of_throughput) {
  cr_assert(has(report_as_html(report_of({contest_of(1), contest_of(8)})), "insert: throughput against clients"));
  const std::string one = report_as_html(report_of({contest_of(8)}));
  cr_assert_not(has(one, "throughput against clients"));
  cr_assert(has(one, "insert: latency against throughput"));
  cr_assert(has(one, "insert: latencies with 8 clients"));
}

Test(report_html, says_what_was_missing_what_failed_and_what_was_kept) {
  const std::string html = report_as_html(report_of({contest_of(1), contest_with_roles()}));
  cr_assert(has(html, "redis is missing: it is not &quot;here&quot;"));
  cr_assert(has(html, "no such ? thing: &lt;nil&gt;"));
  cr_assert(has(html, "read p99, mixed / alone: 2.25"));
  cr_assert(has(html, "allowed: 10: <span class=\"bad\">not kept</span>"));
}
