#include "cli/graph/layers.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>

namespace baton::cli {
namespace {

constexpr int kGap = 3;  // columns between neighbours
constexpr int kOrderings = 12;
constexpr int kPlacings = 40;  // the last half of them looks up and down at once

class Arranger {
 public:
  explicit Arranger(const LayerGraph& graph) : graph_(graph) {}

  Layers arrange() {
    assign_layers();
    add_passing_lines();
    order();
    group();
    place();
    for (std::size_t i = 0; i < out_.between.size(); ++i) route(i);
    return std::move(out_);
  }

 private:
  std::size_t count() const { return graph_.widths.size(); }
  LayerPlace& at(int place) { return out_.places[static_cast<std::size_t>(place)]; }
  const LayerPlace& at(int place) const { return out_.places[static_cast<std::size_t>(place)]; }

  // The longest way from above; boxes with nothing above them stand right above what comes after them.
  void assign_layers() {
    std::vector<std::vector<int>> after(count());
    std::vector<int> open(count(), 0);
    for (const auto& [from, to] : graph_.edges) {
      after[static_cast<std::size_t>(from)].push_back(to);
      ++open[static_cast<std::size_t>(to)];
    }
    std::vector<int> sorted;
    for (std::size_t i = 0; i < count(); ++i) {
      if (open[i] == 0) sorted.push_back(static_cast<int>(i));
    }
    const std::size_t roots = sorted.size();
    layer_.assign(count(), 0);
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      for (const int next : after[static_cast<std::size_t>(sorted[i])]) {
        const auto n = static_cast<std::size_t>(next);
        layer_[n] = std::max(layer_[n], layer_[static_cast<std::size_t>(sorted[i])] + 1);
        if (--open[n] == 0) sorted.push_back(next);
      }
    }
    for (std::size_t i = 0; i < roots; ++i) {
      const auto root = static_cast<std::size_t>(sorted[i]);
      int lowest = INT32_MAX;
      for (const int next : after[root])
        lowest = std::min(lowest, layer_[static_cast<std::size_t>(next)] - 1);
      if (lowest != INT32_MAX) layer_[root] = lowest;
    }
  }

  int add_place(int box, int width, int layer) {
    const int place = static_cast<int>(out_.places.size());
    out_.places.push_back({.box = box, .width = width, .layer = layer, .above = {}, .below = {}});
    out_.layers[static_cast<std::size_t>(layer)].push_back(place);
    return place;
  }
  void connect(int upper, int lower) {
    at(upper).below.push_back(lower);
    at(lower).above.push_back(upper);
  }

  // Lines from one box share the places that they pass.
  void add_passing_lines() {
    out_.layers.resize(count() == 0 ? 0 : static_cast<std::size_t>(*std::ranges::max_element(layer_)) + 1);
    for (std::size_t i = 0; i < count(); ++i) add_place(static_cast<int>(i), graph_.widths[i], layer_[i]);
    std::vector<std::vector<int>> chains(count());
    for (const auto& [from, to] : graph_.edges) {
      std::vector<int>& chain = chains[static_cast<std::size_t>(from)];
      if (chain.empty()) chain.push_back(from);
      const auto length = static_cast<std::size_t>(layer_[static_cast<std::size_t>(to)] -
                                                   layer_[static_cast<std::size_t>(from)]);
      while (chain.size() < length) {
        const int next = add_place(-1, 1, at(chain.back()).layer + 1);
        connect(chain.back(), next);
        chain.push_back(next);
      }
      connect(chain[length - 1], to);
    }
  }

  // --- order ---

  void number() {
    position_.resize(out_.places.size());
    for (const auto& layer : out_.layers) {
      for (std::size_t i = 0; i < layer.size(); ++i)
        position_[static_cast<std::size_t>(layer[i])] = static_cast<int>(i);
    }
  }
  int position(int place) const { return position_[static_cast<std::size_t>(place)]; }

  std::int64_t crossings() const {
    std::int64_t crossings = 0;
    for (const auto& layer : out_.layers) {
      std::vector<std::pair<int, int>> lines;
      for (const int place : layer) {
        for (const int below : at(place).below) lines.emplace_back(position(place), position(below));
      }
      for (std::size_t i = 0; i < lines.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
          const auto& [a, b] = lines[i];
          const auto& [c, d] = lines[j];
          if ((a < c && b > d) || (a > c && b < d)) ++crossings;
        }
      }
    }
    return crossings;
  }

  // Barycentres, downwards and upwards in turn; the best of all orders is kept.
  void order() {
    number();
    auto best = out_.layers;
    std::int64_t fewest = crossings();
    for (int sweep = 0; sweep < kOrderings && fewest > 0; ++sweep) {
      const bool down = sweep % 2 == 0;
      for (std::size_t i = 0; i < out_.layers.size(); ++i) {
        std::vector<int>& layer = out_.layers[down ? i : out_.layers.size() - 1 - i];
        std::map<int, double> centre;
        for (const int place : layer) {
          const std::vector<int>& beside = down ? at(place).above : at(place).below;
          double sum = 0;
          for (const int other : beside) sum += position(other);
          centre[place] = beside.empty() ? position(place) : sum / static_cast<double>(beside.size());
        }
        std::ranges::sort(layer, {}, [&](int place) { return std::pair(centre[place], position(place)); });
        number();
      }
      if (const std::int64_t now = crossings(); now < fewest) {
        fewest = now;
        best = out_.layers;
      }
    }
    out_.layers = std::move(best);
    number();
  }

  // --- groups of lines ---

  void group() {
    if (!out_.layers.empty()) out_.between.resize(out_.layers.size() - 1);
    for (std::size_t i = 0; i < out_.between.size(); ++i) {
      std::map<std::vector<int>, std::vector<int>> sources;  // by targets
      for (const int place : out_.layers[i]) {
        std::vector<int> targets = at(place).below;
        std::ranges::sort(targets, {}, [&](int t) { return position(t); });
        if (!targets.empty()) sources[std::move(targets)].push_back(place);
      }
      for (auto& [targets, from] : sources) {
        out_.between[i].push_back({from, targets, std::vector<int>(targets.size())});
      }
      std::ranges::sort(out_.between[i], {}, [&](const LineGroup& g) {
        return std::pair(middle_position(g), position(g.sources[0]));
      });
      // A box needs a column for each line that enters it, and one between each two.
      for (const int place : out_.layers[i + 1]) {
        const auto entering = static_cast<int>(entries(i, place).size());
        if (at(place).box >= 0) at(place).width = std::max(at(place).width, 2 * entering + 3);
      }
    }
  }

  double middle_position(const LineGroup& group) const {
    double sum = 0;
    for (const int source : group.sources) sum += position(source);
    return sum / static_cast<double>(group.sources.size());
  }

  // The groups that enter a place, from left to right.
  std::vector<LineGroup*> entries(std::size_t gap, int place) {
    std::vector<LineGroup*> entering;
    for (LineGroup& group : out_.between[gap]) {
      if (std::ranges::find(group.targets, place) != group.targets.end()) entering.push_back(&group);
    }
    return entering;
  }

  // Columns from the middle of the place to where the i-th of `entering` lines enters it.
  static int entry_offset(std::size_t i, std::size_t entering) {
    return 2 * static_cast<int>(i) - static_cast<int>(entering) + 1;
  }

  // --- columns ---

  struct Wish {
    double sum = 0;
    double weight = 0;
  };

  // Each line pulls both its ends to one column: those that pass most of all, so that they are straight.
  void wishes(std::size_t gap, bool of_upper, std::vector<Wish>& out) {
    for (const int target : out_.layers[gap + 1]) {
      const auto entering = entries(gap, target);
      for (std::size_t i = 0; i < entering.size(); ++i) {
        const int offset = entry_offset(i, entering.size());
        for (const int source : entering[i]->sources) {
          const int passing = (at(source).box < 0) + (at(target).box < 0);
          const double weight = passing == 2 ? 8 : passing == 1 ? 2 : 1;
          Wish& wish = out[static_cast<std::size_t>(of_upper ? source : target)];
          wish.sum += weight * (of_upper ? at(target).middle + offset : at(source).middle - offset);
          wish.weight += weight;
        }
      }
    }
  }

  static int distance(const LayerPlace& left, const LayerPlace& right) {
    return (left.width + right.width) / 2 + kGap + (left.width + right.width) % 2;
  }

  // The columns nearest to the wishes (by squares) that keep the distances: isotonic regression by pooling.
  void settle(const std::vector<int>& layer, const std::vector<Wish>& wishes) {
    struct Block {
      double sum;
      double weight;
      std::size_t size;
      double mean() const { return sum / weight; }
    };
    std::vector<int> shift(layer.size(), 0);
    for (std::size_t i = 1; i < layer.size(); ++i)
      shift[i] = shift[i - 1] + distance(at(layer[i - 1]), at(layer[i]));
    std::vector<Block> blocks;
    for (std::size_t i = 0; i < layer.size(); ++i) {
      const Wish& wish = wishes[static_cast<std::size_t>(layer[i])];
      const bool free = wish.weight == 0;
      const double weight = free ? 0.01 : wish.weight;
      const double wanted = free ? at(layer[i]).middle : wish.sum / wish.weight;
      blocks.push_back({weight * (wanted - shift[i]), weight, 1});
      while (blocks.size() > 1 && blocks[blocks.size() - 2].mean() >= blocks.back().mean()) {
        const Block last = blocks.back();
        blocks.pop_back();
        blocks.back().sum += last.sum;
        blocks.back().weight += last.weight;
        blocks.back().size += last.size;
      }
    }
    std::size_t i = 0;
    for (const Block& block : blocks) {
      const int base = static_cast<int>(std::lround(block.mean()));
      for (std::size_t n = 0; n < block.size; ++n, ++i) at(layer[i]).middle = base + shift[i];
    }
  }

  void place() {
    const std::vector<Wish> none(out_.places.size());
    for (const auto& layer : out_.layers) settle(layer, none);
    for (int sweep = 0; sweep < kPlacings; ++sweep) {
      const bool down = sweep % 2 == 0;
      const bool last = 2 * sweep >= kPlacings;
      for (std::size_t i = 0; i < out_.layers.size(); ++i) {
        const std::size_t layer = down ? i : out_.layers.size() - 1 - i;
        std::vector<Wish> wished(out_.places.size());
        if (layer > 0 && (down || last)) wishes(layer - 1, false, wished);
        if (layer + 1 < out_.layers.size() && (!down || last)) wishes(layer, true, wished);
        settle(out_.layers[layer], wished);
      }
    }
    straighten();
    int left = INT32_MAX;
    int right = 0;
    for (const LayerPlace& p : out_.places) left = std::min(left, p.middle - p.width / 2);
    for (LayerPlace& p : out_.places) {
      p.middle -= left;
      right = std::max(right, p.middle + p.width / 2 + 1);
    }
    out_.width = right;
  }

  // Rounding leaves steps of a column or two in lines that pass; where there is room they are taken out.
  void straighten() {
    constexpr int kRounds = 6;
    for (int round = 0; round < kRounds; ++round) {
      for (const auto& layer : out_.layers) {
        for (std::size_t i = 0; i < layer.size(); ++i) {
          LayerPlace& p = at(layer[i]);
          if (p.box >= 0) continue;
          // Even rounds move it below what is above, odd ones above the only thing below.
          const std::vector<int>& beside = round % 2 == 0 ? p.above : p.below;
          if (beside.size() != 1 || at(beside[0]).box >= 0) continue;
          const int wanted = at(beside[0]).middle;
          const bool left = i == 0 || wanted - at(layer[i - 1]).middle >= distance(at(layer[i - 1]), p);
          const bool right =
              i + 1 == layer.size() || at(layer[i + 1]).middle - wanted >= distance(p, at(layer[i + 1]));
          if (left && right) p.middle = wanted;
        }
      }
    }
  }

  // --- rows between layers ---

  // Two lines on one column must not meet: the one that comes down from above has to turn aside above the row
  // in which the other one, that goes down from there, turns in.
  static bool must_be_above(const LineGroup& upper, const LineGroup& lower, const std::vector<int>& stems) {
    return std::ranges::any_of(stems, [&](int column) {
      return &upper != &lower && std::ranges::find(lower.columns, column) != lower.columns.end();
    });
  }

  std::vector<int> stems(const LineGroup& group) const {
    std::vector<int> columns;
    for (const int source : group.sources) columns.push_back(at(source).middle);
    return columns;
  }

  struct Span {
    int first = 0;
    int last = 0;
    std::vector<int> stems;
    bool straight() const { return first == last; }
  };
  std::vector<Span> spans_of(const std::vector<LineGroup>& groups) const {
    std::vector<Span> spans;
    for (const LineGroup& group : groups) {
      std::vector<int> columns = stems(group);
      std::vector<int> all = columns;
      all.insert(all.end(), group.columns.begin(), group.columns.end());
      spans.push_back({*std::ranges::min_element(all), *std::ranges::max_element(all), std::move(columns)});
    }
    return spans;
  }

  void route(std::size_t gap) {
    std::vector<LineGroup>& groups = out_.between[gap];
    for (const int target : out_.layers[gap + 1]) {
      const auto entering = entries(gap, target);
      for (std::size_t i = 0; i < entering.size(); ++i) {
        const auto n = std::ranges::find(entering[i]->targets, target) - entering[i]->targets.begin();
        entering[i]->columns[static_cast<std::size_t>(n)] =
            at(target).middle + entry_offset(i, entering.size());
      }
    }
    // What has to be above one another in a circle gets another column, one after the other.
    while (!give_rows(gap) && move_aside(groups)) {
    }
  }

  // Gives each group the highest row below everything that has to be above it, and below what is in its way.
  // False if some have to be above one another in a circle; then these have rows in which they touch.
  bool give_rows(std::size_t gap) {
    std::vector<LineGroup>& groups = out_.between[gap];
    const std::vector<Span> spans = spans_of(groups);
    std::vector<bool> done(groups.size(), false);
    bool clean = true;
    int rows = 0;
    for (std::size_t n = 0; n < groups.size(); ++n) {
      const auto is_free = [&](std::size_t i) {
        for (std::size_t j = 0; j < groups.size(); ++j) {
          if (!done[j] && must_be_above(groups[j], groups[i], spans[j].stems)) return false;
        }
        return true;
      };
      std::size_t next = 0;
      while (next < groups.size() && (done[next] || !is_free(next))) ++next;
      if (next == groups.size()) {
        clean = false;
        next = static_cast<std::size_t>(std::ranges::find(done, false) - done.begin());
      }
      done[next] = true;
      if (spans[next].straight()) continue;
      int row = 0;
      for (std::size_t j = 0; j < groups.size(); ++j) {
        if (j == next || !done[j] || spans[j].straight()) continue;
        const bool overlap = spans[j].first <= spans[next].last && spans[next].first <= spans[j].last;
        if (overlap || must_be_above(groups[j], groups[next], spans[j].stems)) {
          row = std::max(row, groups[j].track + 1);
        }
      }
      groups[next].track = row;
      rows = std::max(rows, row + 1);
    }
    out_.tracks.resize(gap + 1);
    out_.tracks[gap] = rows;
    return clean;
  }

  // Moves one line that enters a box on a column on which another group comes down to a column of the box
  // that is free of both. False if there is none left to move.
  bool move_aside(std::vector<LineGroup>& groups) const {
    std::vector<int> down;  // columns on which groups come down
    for (const LineGroup& group : groups) {
      for (const int column : stems(group)) down.push_back(column);
    }
    const auto contains = [](const std::vector<int>& columns, int column) {
      return std::ranges::find(columns, column) != columns.end();
    };
    for (LineGroup& group : groups) {
      const std::vector<int> own = stems(group);
      for (std::size_t i = 0; i < group.columns.size(); ++i) {
        const LayerPlace& box = at(group.targets[i]);
        if (box.box < 0 || contains(own, group.columns[i]) || !contains(down, group.columns[i])) continue;
        for (int column = box.middle - box.width / 2 + 1; column < box.middle + box.width / 2; ++column) {
          const bool taken =
              std::ranges::any_of(groups, [&](const LineGroup& g) { return contains(g.columns, column); });
          if (taken || contains(down, column)) continue;
          group.columns[i] = column;
          return true;
        }
      }
    }
    return false;
  }

  const LayerGraph& graph_;
  Layers out_;
  std::vector<int> layer_;
  std::vector<int> position_;
};

}  // namespace

Layers arrange(const LayerGraph& graph) {
  return Arranger(graph).arrange();
}

}  // namespace baton::cli
