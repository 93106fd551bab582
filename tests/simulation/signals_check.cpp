#include "signals_check.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>

#include "describe.hpp"

namespace baton::simulation {

void SignalsCheck::accepted(const RunId& run, std::uint32_t number, const std::string& data, bool existing) {
  const auto [known, fresh] = runs_[run].data.emplace(number, data);
  if (!fresh && known->second != data)
    diary_.wrong("signal",
                 fmt::format("signal {} of run {} is {} and {}", number, run.text(), known->second, data));
  // Answers may overtake each other, but only one of them says that it is new.
  if (!existing && !runs_[run].fresh.insert(number).second)
    diary_.wrong("signal",
                 fmt::format("signal {} of run {} was accepted twice as a new one", number, run.text()));
}

void SignalsCheck::received(const RunBook& run, const model::Fact& fact) {
  Name& name = runs_[run.id].names[fact.text];
  name.kept.push_back(static_cast<std::uint32_t>(fact.number));
  touched_.insert(run.id);
}

void SignalsCheck::wait_begins(const RunBook& run, const model::Fact& fact) {
  Run& book = runs_[run.id];
  book.waits[fact.task] = fact.other;
  book.names[fact.other].waiting.insert(fact.task);
  touched_.insert(run.id);
}

void SignalsCheck::wait_ends(const RunBook& run, const model::Fact& fact) {
  Run& book = runs_[run.id];
  const auto wait = book.waits.find(fact.task);
  if (wait == book.waits.end()) return;
  Name& name = book.names[wait->second];
  name.waiting.erase(fact.task);
  const std::string awaited = wait->second;
  book.waits.erase(wait);
  if (fact.kind != model::FactKind::task_ended ||
      static_cast<model::TaskStatus>(fact.status) != model::TaskStatus::completed)
    return;
  const std::string what = describe(run.id.key(), fact);
  if (name.kept.empty()) return diary_.wrong("signal", what + " without a signal " + awaited);
  const std::uint32_t oldest = name.kept.front();
  name.kept.erase(name.kept.begin());
  const auto data = book.data.find(oldest);
  const auto view = reader_.get_task({run.id.key(), fact.task});
  if (data == book.data.end() || !view || !*view || !(*view)->result) return;
  diary_.hit("signal: its data is the result");
  if (boost::json::parse(*(*view)->result) != boost::json::parse(data->second))
    diary_.wrong("signal", fmt::format("{} took {} and not the oldest signal {}, which is {}", what,
                                       *(*view)->result, awaited, data->second));
}

void SignalsCheck::forget(const RunId& run) {
  const auto book = runs_.find(run);
  if (book == runs_.end()) return;
  for (auto& [name, signals] : book->second.names) signals.kept.clear();
}

void SignalsCheck::look() {
  for (const RunId& run : touched_) {
    for (const auto& [name, book] : runs_[run].names) {
      if (!book.kept.empty() && !book.waiting.empty())
        diary_.wrong("signal", fmt::format("{} waits for the signal {}, which is there",
                                           describe(TaskId{run, *book.waiting.begin()}), name));
    }
  }
  touched_.clear();
}

}  // namespace baton::simulation
