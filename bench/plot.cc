#include "bench/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

namespace skua::bench {

namespace {

// In the units of the SVG's view box.
constexpr double kWidth = 560;
constexpr double kHeight = 340;
constexpr double kLeft = 76;
constexpr double kRight = 18;
constexpr double kTop = 34;
constexpr double kBottom = 50;

// 1, 2 or 5 times a power of ten, the next one that is at least the value.
double nice_step(double value) {
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (power * factor >= value * (1 - 1e-9)) return power * factor;
  }
  return power * 10;
}

// The powers of ten from at most `min` to at least `max`, each times the factors.
std::vector<double> decades(double min, double max, const std::vector<double>& factors) {
  std::vector<double> values;
  const int first = static_cast<int>(std::floor(std::log10(min) - 1e-9));
  const int last = static_cast<int>(std::ceil(std::log10(max) + 1e-9));
  for (int exponent = first; exponent <= last; ++exponent) {
    for (const double factor : factors) values.push_back(factor * std::pow(10, exponent));
  }
  // No more than one beyond each end.
  const auto below = std::find_if(values.begin(), values.end(), [min](double value) { return value > min * (1 + 1e-9); });
  if (below != values.begin()) values.erase(values.begin(), below - 1);
  const auto above = std::find_if(values.begin(), values.end(), [max](double value) { return value >= max * (1 - 1e-9); });
  if (above != values.end()) values.erase(above + 1, values.end());
  return values;
}

class Canvas {
 public:
  explicit Canvas(const Plot& plot) : plot_(plot) {}

  std::string draw() {
    out_ = fmt::format(
        R"(<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}" xmlns="http://www.w3.org/2000/svg">)", kWidth,
        kHeight, escaped(plot_.title));
    add(R"(<text class="title" x="{}" y="18">{}</text>)", kLeft, escaped(plot_.title));
    draw_axes();
    for (const PlotSeries& series : plot_.series) draw_line(series);
    for (const PlotSeries& series : plot_.series) draw_points(series);
    return out_ + "</svg>\n";
  }

 private:
  template <class... T>
  void add(fmt::format_string<T...> format, T&&... values) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<T>(values)...);
    out_ += '\n';
  }

  double x_of(double value) const { return kLeft + plot_.x.place(value) * (kWidth - kLeft - kRight); }
  double y_of(double value) const { return kHeight - kBottom - plot_.y.place(value) * (kHeight - kTop - kBottom); }

  void draw_axes() {
    const double bottom = kHeight - kBottom;
    const double right = kWidth - kRight;
    for (const Tick& tick : plot_.y.ticks) {
      const double y = y_of(tick.at);
      add(R"(<line class="grid" x1="{}" y1="{:.1f}" x2="{}" y2="{:.1f}"/>)", kLeft, y, right, y);
      add(R"(<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>)", kLeft - 7, y + 4, escaped(tick.label));
    }
    for (const Tick& tick : plot_.x.ticks) {
      const double x = x_of(tick.at);
      add(R"(<line class="grid" x1="{:.1f}" y1="{}" x2="{:.1f}" y2="{}"/>)", x, kTop, x, bottom);
      add(R"(<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>)", x, bottom + 17, escaped(tick.label));
    }
    add(R"(<path class="axis" d="M{} {}V{}H{}"/>)", kLeft, kTop, bottom, right);
    add(R"(<text class="axis-title" x="{}" y="{}" text-anchor="middle">{}</text>)", (kLeft + right) / 2, kHeight - 10,
        escaped(plot_.x.title));
    add(R"svg(<text class="axis-title" transform="translate(14 {}) rotate(-90)" text-anchor="middle">{}</text>)svg",
        (kTop + bottom) / 2, escaped(plot_.y.title));
  }

  void draw_line(const PlotSeries& series) {
    if (series.points.size() < 2) return;
    std::string path;
    for (const PlotPoint& point : series.points) {
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? 'M' : 'L', x_of(point.x), y_of(point.y));
    }
    add(R"(<path class="line c{} d{}" d="{}"/>)", series.colour % kPlotColours, series.dash % kPlotDashes, path);
  }

  void draw_points(const PlotSeries& series) {
    if (!series.marked) return;
    const std::size_t colour = series.colour % kPlotColours;
    for (const PlotPoint& point : series.points) {
      const double x = x_of(point.x);
      if (point.y_min < point.y_max) {
        const double top = y_of(point.y_max);
        const double bottom = y_of(point.y_min);
        add(R"(<path class="whisker c{}" d="M{:.1f} {:.1f}V{:.1f}M{:.1f} {:.1f}H{:.1f}M{:.1f} {:.1f}H{:.1f}"/>)", colour, x,
            top, bottom, x - 4, top, x + 4, x - 4, bottom, x + 4);
      }
      add(R"(<path class="{} c{}" d="{}"><title>{}</title></path>)", series.dash == 0 ? "mark" : "mark hollow", colour,
          mark(series.colour, x, y_of(point.y)), escaped(point.hint));
      if (!point.label.empty()) {
        add(R"(<text class="label" x="{:.1f}" y="{:.1f}">{}</text>)", x + 7, y_of(point.y) - 6, escaped(point.label));
      }
    }
  }

 public:
  // Each colour has a shape of its own, for those who cannot tell colours apart.
  static std::string mark(std::size_t colour, double x, double y) {
    switch (colour % 4) {
      case 0:
        return fmt::format("M{:.1f} {:.1f}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z", x - 4, y);
      case 1:
        return fmt::format("M{:.1f} {:.1f}h7v7h-7z", x - 3.5, y - 3.5);
      case 2:
        return fmt::format("M{:.1f} {:.1f}l4.6 8h-9.2z", x, y - 5);
      default:
        return fmt::format("M{:.1f} {:.1f}l5 5l-5 5l-5 -5z", x, y - 5);
    }
  }

 private:
  const Plot& plot_;
  std::string out_;
};

}  // namespace

double Axis::place(double value) const {
  if (!logarithmic) return (value - min) / (max - min);
  // What is not positive has no place on it, and lies at its beginning.
  return value <= min ? 0 : std::log(value / min) / std::log(max / min);
}

Axis linear_axis(std::string title, double max, const TickLabel& label) {
  constexpr int kTicks = 5;
  Axis axis{std::move(title), false, 0, 1, {}};
  const double step = max > 0 ? nice_step(max / kTicks) : 1.0 / kTicks;
  const int steps = max > 0 ? static_cast<int>(std::ceil(max / step - 1e-9)) : kTicks;
  for (int i = 0; i <= steps; ++i) axis.ticks.push_back({i * step, label(i * step)});
  axis.max = axis.ticks.back().at;
  return axis;
}

Axis logarithmic_axis(std::string title, double min, double max, const TickLabel& label) {
  constexpr std::size_t kTicksMax = 9;
  Axis axis{std::move(title), true, min, max, {}};
  if (max < min * 1.01) max = min * 1.01;
  for (const auto& factors : {std::vector<double>{1, 2, 5}, {1, 3}, {1}}) {
    const std::vector<double> values = decades(min, max, factors);
    if (values.size() > kTicksMax && factors.size() > 1) continue;
    for (const double value : values) axis.ticks.push_back({value, label(value)});
    break;
  }
  axis.min = axis.ticks.front().at;
  axis.max = axis.ticks.back().at;
  return axis;
}

Axis axis_for(std::string title, double min, double max, const TickLabel& label) {
  constexpr double kLinearRatioMax = 20;
  if (min > 0 && max / min > kLinearRatioMax) return logarithmic_axis(std::move(title), min, max, label);
  return linear_axis(std::move(title), max, label);
}

std::string short_number(double value) {
  struct Unit {
    double size;
    const char* suffix;
  };
  for (const auto& [size, suffix] : {Unit{1e9, "G"}, Unit{1e6, "M"}, Unit{1e3, "k"}}) {
    // So that 999,950 and more is 1M.
    if (std::abs(value) >= size * 0.99995) return fmt::format("{:.4g}{}", value / size, suffix);
  }
  return fmt::format("{:.4g}", value);
}

std::string svg_of(const Plot& plot) { return Canvas(plot).draw(); }

std::string svg_sample(const PlotSeries& series) {
  const std::size_t colour = series.colour % kPlotColours;
  std::string out = fmt::format(
      R"(<svg class="sample" viewBox="0 0 34 12" xmlns="http://www.w3.org/2000/svg"><path class="line c{} d{}" d="M1 6H33"/>)",
      colour, series.dash % kPlotDashes);
  if (series.marked) {
    out += fmt::format(R"(<path class="{} c{}" d="{}"/>)", series.dash == 0 ? "mark" : "mark hollow", colour,
                       Canvas::mark(series.colour, 17, 6));
  }
  return out + "</svg>";
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        // What XML cannot have at all.
        out += static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return out;
}

std::string_view plot_style() {
  return R"(
:root { --c0: #2a78d6; --c1: #c2570c; --c2: #0f8a5f; --c3: #7a4bc4; --c4: #b58900; --c5: #c93a6a; --c6: #4d6470; --c7: #8a5a2b; }
@media (prefers-color-scheme: dark) {
:root { --c0: #5aa2f2; --c1: #f0883e; --c2: #3fbf8d; --c3: #b392f0; --c4: #e0b83f; --c5: #f47ba0; --c6: #9fb3bf; --c7: #c79a6b; }
}
svg.plot { width: 100%; height: auto; display: block; }
svg.sample { width: 34px; height: 12px; flex: none; }
svg text { fill: var(--ink-soft); font-size: 12px; font-family: inherit; }
svg .title { fill: var(--ink); font-size: 13px; font-weight: 600; }
svg .axis-title { fill: var(--ink); }
svg .label { font-size: 10.5px; }
svg .grid { stroke: var(--grid); stroke-width: 1; }
svg .axis { stroke: var(--ink-soft); stroke-width: 1; fill: none; }
svg .line { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
svg .whisker { fill: none; stroke: var(--c); stroke-width: 1.25; opacity: 0.75; }
svg .mark { fill: var(--c); stroke: var(--c); stroke-width: 1.5; }
svg .hollow { fill: var(--page); }
svg .c0 { --c: var(--c0); } svg .c1 { --c: var(--c1); } svg .c2 { --c: var(--c2); } svg .c3 { --c: var(--c3); }
svg .c4 { --c: var(--c4); } svg .c5 { --c: var(--c5); } svg .c6 { --c: var(--c6); } svg .c7 { --c: var(--c7); }
svg .d1 { stroke-dasharray: 6 5; } svg .d2 { stroke-dasharray: 1.5 5; }
)";
}

}  // namespace skua::bench
