#include "cli/view/tree.hpp"

#include <algorithm>
#include <cmath>

#include "cli/text_width.hpp"
#include "cli/words.hpp"

namespace baton::cli {
namespace {

constexpr std::size_t kActiveItems = 4;  // shown under a mapped step
constexpr std::size_t kNarrow = 60;

std::string bar(double part, std::size_t columns, const Style& style) {
  const auto full = static_cast<std::size_t>(std::lround(part * static_cast<double>(columns)));
  std::string done;
  std::string rest;
  for (std::size_t i = 0; i < columns; ++i) (i < full ? done : rest) += "━";
  return style.green(done) + style.dim(rest);
}

std::string elapsed(WallTime from, WallTime to, WallTime now) {
  if (from.us == 0) return "";
  return short_duration((to.us != 0 ? to : now) - from);
}

// One line: left text cut to what the right text leaves.
std::string spread(const std::string& left, const std::string& right, std::size_t columns) {
  const std::size_t taken = text_width(right);
  if (taken + 2 > columns) return fit(left, columns);
  const std::string fitted = fit(left, columns - taken - (taken > 0 ? 1 : 0));
  return fitted + std::string(columns - taken - text_width(fitted), ' ') + right;
}

class Tree {
 public:
  Tree(const RunModel& model, WallTime now, const TreeOptions& options)
      : model_(model), now_(now), options_(options), style_(options.style) {
    for (const StepModel& step : model.steps()) name_width_ = std::max(name_width_, text_width(step.name));
    name_width_ = std::min<std::size_t>(name_width_, options.columns / 3);
  }

  std::vector<std::string> lines() {
    std::vector<std::string> out;
    out.push_back(head());
    const std::size_t around = model_.ended() ? 1 : 2;  // head and bar
    const std::size_t room = options_.rows > around ? options_.rows - around : 1;
    add_steps(room, out);
    if (!model_.ended() && out.size() < options_.rows) out.push_back(progress());
    for (std::string& line : out) line = fit(line, options_.columns);
    return out;
  }

 private:
  std::string head() const {
    std::string left = style_.bold(model_.workflow());
    if (!model_.title().empty() && options_.columns >= kNarrow) left += "  " + style_.dim(model_.title());
    left += "  " + in_colour_of(model_.status(), model_.status(), style_);
    if (options_.columns >= kNarrow + 40) left += "  " + style_.dim(options_.run_id);
    return spread(left, style_.dim(elapsed(model_.created_at(), model_.ended_at(), now_)), options_.columns);
  }

  std::string progress() const {
    const auto percent = static_cast<int>(model_.progress() * 100);
    std::string right = ' ' + std::to_string(percent) + '%';
    const Duration remaining = model_.remaining(now_);
    if (remaining.us >= 0) right += "  about " + short_duration(remaining) + " left";
    const std::size_t taken = text_width(right);
    if (taken + 4 > options_.columns) return style_.dim(right.substr(1));
    const std::size_t width = std::min<std::size_t>(options_.columns - taken, 60);
    return bar(model_.progress(), width, style_) + style_.dim(right);
  }

  std::string step_line(const StepModel& step) const {
    std::string left =
        ' ' + in_colour_of(step.status, symbol(step.status), style_) + ' ' + pad(step.name, name_width_);
    if (!step.title.empty() && step.title != step.name && step.note.empty() && options_.columns >= kNarrow) {
      left += "  " + style_.dim(step.title);
    }
    if (step.items != nullptr) {
      const StepModel::Items& items = *step.items;
      left += "  " + std::to_string(items.ended) + '/' + std::to_string(items.count);
      if (items.failed > 0) left += style_.red("  " + std::to_string(items.failed) + " failed");
      if (!items.active.empty()) left += style_.dim("  " + std::to_string(items.active.size()) + " active");
    } else if (step.round > 0) {
      left += style_.dim("  round " + std::to_string(step.round + 1));
    } else if (step.attempt > 1 && step.waits) {
      left += style_.dim("  poll " + std::to_string(step.attempt));
    } else if (step.attempt > 1) {
      left += style_.yellow("  attempt " + std::to_string(step.attempt));
    }
    if (!step.note.empty()) {
      left += "  " + (step.status == "failed" ? style_.red(step.note) : style_.dim(step.note));
    }
    return spread(left, style_.dim(elapsed(step.started_at, step.ended_at, now_)), options_.columns);
  }

  std::string item_line(std::int64_t index, const StepModel::Item& item) const {
    std::string left = "     " + in_colour_of(item.status, symbol(item.status), style_) + ' ' +
                       style_.dim('[' + std::to_string(index) + ']');
    if (item.attempt > 1) left += style_.yellow("  attempt " + std::to_string(item.attempt));
    if (!item.progress.empty()) left += "  " + style_.dim(item.progress);
    return spread(left, style_.dim(elapsed(item.since, {}, now_)), options_.columns);
  }

  // Lower is more interesting.
  static int rank(const StepModel& step) {
    if (step.status == "failed") return 0;
    if (step.status == "running" || step.status == "retrying") return 1;
    if (step.status == "queued") return 2;
    if (step.status == "pending") return 3;
    return 4;
  }

  void add_steps(std::size_t room, std::vector<std::string>& out) const {
    const auto& steps = model_.steps();
    std::vector<std::size_t> shown;
    const bool has_finally = !steps.empty() && steps.back().finally;
    if (steps.size() + (has_finally ? 1 : 0) <= room) {
      for (std::size_t i = 0; i < steps.size(); ++i) shown.push_back(i);
    } else {
      choose(room - 1, shown);  // and a line that counts the others
    }
    std::size_t spare = room - std::min(room, shown.size() + 1);
    std::size_t done = 0;
    std::size_t waiting = 0;
    bool in_finally = false;
    std::size_t next = 0;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (next >= shown.size() || shown[next] != i) {
        ++(rank(steps[i]) == 4 ? done : waiting);
        continue;
      }
      ++next;
      if (steps[i].finally && !in_finally && shown.size() == steps.size())
        out.push_back(style_.dim(" finally"));
      in_finally = steps[i].finally;
      out.push_back(step_line(steps[i]));
      if (steps[i].items == nullptr) continue;
      const auto& active = steps[i].items->active;
      std::size_t items = std::min({spare, kActiveItems, active.size()});
      spare -= items;
      for (auto item = active.begin(); items > 0; ++item, --items) {
        out.push_back(item_line(item->first, item->second));
      }
    }
    if (done + waiting == 0) return;
    std::string rest = "   …";
    if (done > 0) rest += ' ' + std::to_string(done) + " more ended";
    if (waiting > 0) rest += (done > 0 ? ", " : " ") + std::to_string(waiting) + " more to come";
    out.push_back(fit(style_.dim(rest), options_.columns));
  }

  // The `room` most interesting steps, in their order: what failed and what runs, then what comes next, then
  // what ended last.
  void choose(std::size_t room, std::vector<std::size_t>& shown) const {
    const auto& steps = model_.steps();
    for (int wanted = 0; wanted <= 4 && shown.size() < room; ++wanted) {
      std::vector<std::size_t> group;
      for (std::size_t i = 0; i < steps.size(); ++i) {
        if (rank(steps[i]) == wanted) group.push_back(i);
      }
      const std::size_t take = std::min(room - shown.size(), group.size());
      if (wanted == 4) {
        shown.insert(shown.end(), group.end() - static_cast<std::ptrdiff_t>(take), group.end());
      } else {
        shown.insert(shown.end(), group.begin(), group.begin() + static_cast<std::ptrdiff_t>(take));
      }
    }
    std::ranges::sort(shown);
  }

  const RunModel& model_;
  WallTime now_;
  const TreeOptions& options_;
  const Style& style_;
  std::size_t name_width_ = 4;
};

}  // namespace

std::vector<std::string> tree_lines(const RunModel& model, WallTime now, const TreeOptions& options) {
  return Tree(model, now, options).lines();
}

}  // namespace baton::cli
