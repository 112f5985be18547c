// Plot: one chart as SVG, to stand inside of an HTML page whose style gives the colours. Axis: a scale with its ticks.
//
// Text only; nothing here knows what is plotted. Any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace skua::bench {

struct Tick {
  double at = 0;
  std::string label;
};

struct Axis {
  std::string title;  // with the unit
  bool logarithmic = false;
  double min = 0;
  double max = 1;
  std::vector<Tick> ticks;  // from min to max

  // 0 at min, 1 at max.
  double place(double value) const;
};

using TickLabel = std::function<std::string(double)>;

// From 0 to `max` or a little beyond, with about five ticks at multiples of 1, 2 or 5 times a power of ten.
Axis linear_axis(std::string title, double max, const TickLabel& label);
// From `min` or a little below to `max` or a little beyond, both positive, with ticks at powers of ten, and at 2 and 5 times
// those where there is room for them.
Axis logarithmic_axis(std::string title, double min, double max, const TickLabel& label);
// The one of both that shows the values better.
Axis axis_for(std::string title, double min, double max, const TickLabel& label);

// "900", "12k", "1.5M".
std::string short_number(double value);

struct PlotPoint {
  double x = 0;
  double y = 0;
  double y_min = 0;  // a whisker, if below y_max
  double y_max = 0;
  std::string label;  // beside the point; empty: none
  std::string hint;   // shown when it is pointed at
};

struct PlotSeries {
  std::size_t colour = 0;  // its place in the palette; also says what its points look like
  std::size_t dash = 0;    // 0: solid
  bool marked = true;      // whether points are drawn, or the line alone
  std::vector<PlotPoint> points;
};

struct Plot {
  std::string title;
  Axis x;
  Axis y;
  std::vector<PlotSeries> series;
};

inline constexpr std::size_t kPlotColours = 8;
inline constexpr std::size_t kPlotDashes = 3;

std::string svg_of(const Plot& plot);
// A short piece of a series' line, for a legend.
std::string svg_sample(const PlotSeries& series);

// What is special to HTML and XML, escaped.
std::string escaped(std::string_view text);

// The style that svg_of() counts on, for light and dark pages.
std::string_view plot_style();

}  // namespace skua::bench
