#include "cli/graph/picture.hpp"

#include <algorithm>
#include <map>
#include <span>

#include "cli/graph/layers.hpp"
#include "cli/graph/links.hpp"
#include "cli/output.hpp"
#include "cli/text_width.hpp"

namespace baton::cli {
namespace {

constexpr std::size_t kMostBoxes = 120;  // more is no drawing that anyone reads
constexpr std::size_t kMostLines = 600;  //
constexpr std::size_t kNameWidth = 40;
constexpr std::size_t kNoteWidth = 34;

// One box of the drawing: a step, or several with the same neighbours.
struct Box {
  std::string name;
  std::vector<std::string> notes;
  bool conditional = false;

  int width() const {
    std::size_t widest = text_width(name);
    for (const std::string& note : notes) widest = std::max(widest, text_width(note));
    return static_cast<int>(widest + 4) | 1;  // odd: it has a middle
  }
  int height() const { return 3 + static_cast<int>(notes.size()); }
};

// One phase of the workflow: `steps`, or `finally`.
struct Part {
  std::vector<Box> boxes;
  std::vector<std::pair<int, int>> edges;
};

Part part_of(const spec::Outline& outline, const Links& links, bool finally, std::size_t least_group,
             std::size_t note_width) {
  Part part;
  // Steps with the same neighbours, in file order of the first.
  std::map<std::pair<std::vector<Ordinal>, std::vector<Ordinal>>, std::vector<Ordinal>> alike;
  std::vector<std::vector<Ordinal>> groups;
  std::vector<std::size_t> group_of(outline.steps.size());
  for (Ordinal i = 0; i < outline.steps.size(); ++i) {
    if (outline.steps[i].finally != finally) continue;
    const bool plain = links.notes(i).empty();
    if (plain) {
      alike[{links.before(i), links.after(i)}].push_back(i);
    }
  }
  std::map<Ordinal, std::vector<Ordinal>> by_first;
  std::vector<bool> shared(outline.steps.size(), false);
  for (auto& [key, steps] : alike) {
    if (steps.size() < least_group) continue;
    for (const Ordinal s : steps) shared[s] = true;
    by_first[steps.front()] = steps;
  }
  for (Ordinal i = 0; i < outline.steps.size(); ++i) {
    if (outline.steps[i].finally != finally) continue;
    if (!shared[i]) {
      groups.push_back({i});
    } else if (const auto found = by_first.find(i); found != by_first.end()) {
      groups.push_back(found->second);
    }
  }
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const Ordinal step : groups[g]) group_of[step] = g;
    const std::string first = fit(one_line(outline.steps[groups[g].front()].name), kNameWidth);
    if (groups[g].size() == 1) {
      Box box{.name = first, .notes = {}, .conditional = links.conditional(groups[g][0])};
      for (const std::string& note : links.notes(groups[g][0])) box.notes.push_back(fit(note, note_width));
      part.boxes.push_back(std::move(box));
    } else {
      const std::string last = fit(one_line(outline.steps[groups[g].back()].name), kNameWidth);
      part.boxes.push_back({.name = first + " … " + last,
                            .notes = {std::to_string(groups[g].size()) + " steps"},
                            .conditional = false});
    }
  }
  for (std::size_t g = 0; g < groups.size(); ++g) {
    std::vector<std::size_t> before;
    for (const Ordinal need : links.before(groups[g].front())) before.push_back(group_of[need]);
    std::ranges::sort(before);
    before.erase(std::unique(before.begin(), before.end()), before.end());
    for (const std::size_t from : before)
      part.edges.emplace_back(static_cast<int>(from), static_cast<int>(g));
  }
  return part;
}

int rows_of(const Layers& layers, std::span<const Box> boxes) {
  int rows = 0;
  for (std::size_t i = 0; i < layers.layers.size(); ++i) {
    int height = 0;
    for (const int place : layers.layers[i]) {
      const LayerPlace& p = layers.places[static_cast<std::size_t>(place)];
      if (p.box >= 0) height = std::max(height, boxes[static_cast<std::size_t>(p.box)].height());
    }
    rows += height + (i < layers.tracks.size() ? std::max(1, layers.tracks[i]) : 0);
  }
  return rows;
}

class Painter {
 public:
  Painter(Canvas& canvas, int left, int top) : canvas_(canvas), left_(left), top_(top) {}

  void paint(const Layers& layers, std::span<const Box> boxes) {
    std::vector<int> bottom(layers.places.size());  // of the box, where lines leave it
    int row = top_;
    for (std::size_t i = 0; i < layers.layers.size(); ++i) {
      int height = 0;
      for (const int place : layers.layers[i]) {
        const LayerPlace& p = layers.places[static_cast<std::size_t>(place)];
        if (p.box < 0) continue;
        const Box& box = boxes[static_cast<std::size_t>(p.box)];
        bottom[static_cast<std::size_t>(place)] = row + box.height() - 1;
        height = std::max(height, box.height());
        paint(box, left_ + p.middle - p.width / 2, row, p.width);
      }
      if (i < layers.between.size()) {
        const int rows = std::max(1, layers.tracks[i]);
        for (const LineGroup& group : layers.between[i]) {
          lines(layers, group, bottom, row, row + height, row + height + rows);
        }
        height += rows;
      }
      row += height;
    }
  }

 private:
  void paint(const Box& box, int left, int top, int width) {
    canvas_.box(left, top, width, box.height(), box.conditional);
    const auto centred = [&](std::string_view text, int row, Canvas::Ink ink) {
      canvas_.write(left + (width - static_cast<int>(text_width(text))) / 2, row, text, ink);
    };
    centred(box.name, top + 1, Canvas::Ink::bold);
    for (std::size_t i = 0; i < box.notes.size(); ++i) {
      centred(box.notes[i], top + 2 + static_cast<int>(i), Canvas::Ink::dim);
    }
  }

  // `layer` is the first row of the upper layer, `first` the first one below it, `end` that of the lower
  // layer.
  void lines(const Layers& layers, const LineGroup& group, std::span<const int> bottom, int layer, int first,
             int end) {
    const int line = next_line_++;
    const int track = first + group.track;
    int low = INT32_MAX;
    int high = 0;
    const auto reach = [&](int column) {
      low = std::min(low, column);
      high = std::max(high, column);
    };
    for (const int source : group.sources) reach(layers.places[static_cast<std::size_t>(source)].middle);
    for (const int column : group.columns) reach(column);
    for (const int source : group.sources) {
      const LayerPlace& p = layers.places[static_cast<std::size_t>(source)];
      const int from = p.box >= 0 ? bottom[static_cast<std::size_t>(source)] : layer;
      canvas_.vertical(left_ + p.middle, from, track, line);
    }
    if (low < high) canvas_.horizontal(track, left_ + low, left_ + high, line);
    for (std::size_t i = 0; i < group.targets.size(); ++i) {
      const bool box = layers.places[static_cast<std::size_t>(group.targets[i])].box >= 0;
      canvas_.vertical(left_ + group.columns[i], track, end, line);
      if (box) canvas_.arrow(left_ + group.columns[i], end);
    }
  }

  Canvas& canvas_;
  int left_;
  int top_;
  int next_line_ = 0;
};

std::string heading(const spec::Outline& outline, const Style& style) {
  std::size_t last = 0;
  for (const auto& step : outline.steps) last += step.finally ? 1 : 0;
  const std::size_t steps = outline.steps.size() - last;
  std::string out = style.bold(one_line(outline.name));
  if (!outline.title.empty()) out += "  " + one_line(outline.title);
  std::string count = std::to_string(steps) + (steps == 1 ? " step" : " steps");
  if (last > 0) count += ", then " + std::to_string(last) + " under finally";
  return out + "  " + style.dim(count) + "\n";
}

// Levels: the steps that can start after the same number of others in a row.
std::vector<std::vector<Ordinal>> levels_of(const spec::Outline& outline, const Links& links, bool finally) {
  std::vector<std::vector<Ordinal>> levels;
  std::vector<std::size_t> level(outline.steps.size(), 0);
  for (const Ordinal i : links.order()) {
    if (outline.steps[i].finally != finally) continue;
    for (const Ordinal before : links.before(i)) level[i] = std::max(level[i], level[before] + 1);
    if (levels.size() <= level[i]) levels.resize(level[i] + 1);
    levels[level[i]].push_back(i);
  }
  for (auto& steps : levels) std::ranges::sort(steps);
  return levels;
}

std::string plain(std::string text, Strokes strokes) {
  if (strokes == Strokes::unicode) return text;
  for (const auto& [glyph, words] : {std::pair("…", "..."), std::pair("←", "<-"), std::pair("×", "x")}) {
    for (std::size_t at = text.find(glyph); at != std::string::npos; at = text.find(glyph, at)) {
      text.replace(at, std::string_view(glyph).size(), words);
    }
  }
  return text;
}

}  // namespace

std::optional<std::string> draw(const spec::Outline& outline, std::size_t columns, Strokes strokes,
                                const Style& style) {
  if (outline.steps.size() > 20 * kMostBoxes) return std::nullopt;
  const Links links(outline, strokes == Strokes::unicode);
  // First a box for each step; if that does not fit, fewer.
  struct Attempt {
    std::size_t least_group;  // so many steps with the same neighbours share a box
    std::size_t note_width;
  };
  constexpr std::size_t kNever = SIZE_MAX;
  for (const Attempt attempt : {Attempt{kNever, kNoteWidth}, Attempt{kNever, kNoteWidth / 2},
                                Attempt{3, kNoteWidth}, Attempt{3, kNoteWidth / 2}}) {
    std::vector<Part> parts;
    for (const bool finally : {false, true}) {
      Part part = part_of(outline, links, finally, attempt.least_group, attempt.note_width);
      if (strokes == Strokes::ascii) {
        for (Box& box : part.boxes) {
          box.name = plain(std::move(box.name), strokes);
          for (std::string& note : box.notes) note = plain(std::move(note), strokes);
        }
      }
      if (!part.boxes.empty()) parts.push_back(std::move(part));
    }
    std::size_t boxes = 0;
    std::size_t lines = 0;
    for (const Part& part : parts) {
      boxes += part.boxes.size();
      lines += part.edges.size();
    }
    if (boxes > kMostBoxes || lines > kMostLines) continue;
    std::vector<Layers> arranged;
    int width = 0;
    int height = parts.size() == 2 ? 2 : 0;
    for (const Part& part : parts) {
      LayerGraph graph{.widths = {}, .edges = part.edges};
      for (const Box& box : part.boxes) graph.widths.push_back(box.width());
      arranged.push_back(arrange(graph));
      width = std::max(width, arranged.back().width);
      height += rows_of(arranged.back(), part.boxes);
    }
    if (static_cast<std::size_t>(width) > columns) continue;
    Canvas canvas(std::max(width, 1), height);
    int row = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (i == 1) {
        canvas.rule(row + 1, "finally");
        row += 2;
      }
      Painter(canvas, (width - arranged[i].width) / 2, row).paint(arranged[i], parts[i].boxes);
      row += rows_of(arranged[i], parts[i].boxes);
    }
    return heading(outline, style) + "\n" + canvas.text(strokes, style);
  }
  return std::nullopt;
}

std::string list_steps(const spec::Outline& outline, Strokes strokes, const Style& style) {
  const Links links(outline, strokes == Strokes::unicode);
  std::string out = heading(outline, style);
  std::size_t widest = 0;
  for (const auto& step : outline.steps) widest = std::max(widest, text_width(one_line(step.name)));
  widest = std::min(widest, kNameWidth);
  std::size_t number = 0;
  for (const bool finally : {false, true}) {
    const auto levels = levels_of(outline, links, finally);
    if (finally && !levels.empty()) out += "\n" + style.dim("finally") + "\n";
    for (const auto& level : levels) {
      out += finally && &level == levels.data() ? "" : "\n";
      for (const Ordinal i : level) {
        const std::string name = one_line(outline.steps[i].name);
        std::string needs;
        for (const Ordinal need : links.before(i))
          needs += (needs.empty() ? "" : ", ") + one_line(outline.steps[need].name);
        std::string notes;
        for (const std::string& note : links.notes(i)) notes += "  (" + note + ")";
        std::string line = pad_left(std::to_string(++number), 6) + "  " + style.bold(name);
        if (!needs.empty() || !notes.empty()) {
          line += std::string(widest - std::min(widest, text_width(name)), ' ');
          if (!needs.empty()) line += "  " + plain("← ", strokes) + needs;
          line += style.dim(plain(notes, strokes));
        }
        out += line + "\n";
      }
    }
  }
  return out;
}

std::string summarise(const spec::Outline& outline, std::size_t columns, Strokes strokes,
                      const Style& style) {
  constexpr std::size_t kShown = 12;  // levels at the beginning, and at the end
  const Links links(outline, strokes == Strokes::unicode);
  std::string out = heading(outline, style);
  std::size_t needs = 0;
  for (Ordinal i = 0; i < outline.steps.size(); ++i) needs += links.before(i).size();
  for (const bool finally : {false, true}) {
    const auto levels = levels_of(outline, links, finally);
    if (levels.empty()) continue;
    if (finally) {
      out += "\n" + style.dim("finally") + "\n";
    } else {
      std::size_t widest = 0;
      for (const auto& level : levels) widest = std::max(widest, level.size());
      out += style.dim(std::to_string(needs) + " needs, " + std::to_string(levels.size()) +
                       " levels, up to " + std::to_string(widest) + " steps side by side") +
             "\n\n";
    }
    for (std::size_t i = 0; i < levels.size(); ++i) {
      if (levels.size() > 2 * kShown + 1 && i == kShown) {
        const std::size_t skipped = levels.size() - 2 * kShown;
        out += plain("     …  ", strokes) + std::to_string(skipped) + " more levels\n";
        i += skipped;
      }
      std::string line = pad_left(std::to_string(i + 1), 6) + "  " +
                         pad_left(std::to_string(levels[i].size()), 6) +
                         (levels[i].size() == 1 ? " step   " : " steps  ");
      // As many names as there is room for.
      std::string names;
      const std::size_t room = std::max(columns, line.size() + 20) - line.size();
      for (std::size_t n = 0; n < levels[i].size(); ++n) {
        const std::string next = (n == 0 ? "" : ", ") + one_line(outline.steps[levels[i][n]].name);
        if (n > 0 && text_width(names) + text_width(next) + 3 > room) {
          names += " …";
          break;
        }
        names += next;
      }
      out += line + plain(fit(names, room), strokes) + "\n";
    }
  }
  return out;
}

}  // namespace baton::cli
