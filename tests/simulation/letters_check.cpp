#include "letters_check.hpp"

#include "model/dead_letter.hpp"

namespace baton::simulation {

void LettersCheck::finish(const RunBook& run, const scenario::Observed& seen) {
  std::set<std::string> wanted;
  std::set<Ordinal> present;
  for (const scenario::ObservedTask& task : seen.tasks) {
    present.insert(task.id.ordinal);
    const auto book = run.tasks.find(task.id.ordinal);
    if (task.fields.at("role") != "main" || task.fields.at("status") != "failed") continue;
    const bool has_items = book != run.tasks.end() && book->second.items > 0;
    if (has_items || task.fields.at("ignored").as_bool() ||
        run.workflow->steps[task.fields.at("step_index").to_number<Ordinal>()].continue_on_error)
      continue;
    wanted.insert(model::dead_letter_id(task.id, task.fields.at("generation").to_number<std::uint32_t>()));
  }
  std::string after = run.id.text();
  for (;;) {
    const auto page = reader_.list_records({.kind = model::RecordKind::dead_letter}, after, 256).value();
    for (const model::Record& record : page) {
      if (!record.id.key.starts_with(run.id.text())) break;
      diary_.hit("dead letter");
      const auto letter = model::dead_letter_of(record);
      if (!letter) return diary_.wrong("I11", "dead letter " + record.id.key + " cannot be read");
      // Items of a list that was made anew are shown no more, and their letters may be kept.
      if (wanted.erase(record.id.key) == 0 && present.contains(letter->task.ordinal))
        diary_.wrong("letter", "dead letter " + record.id.key + " is of a task that has not failed so");
    }
    if (page.empty() || !page.back().id.key.starts_with(run.id.text())) break;
    after = page.back().id.key;
  }
  for (const std::string& id : wanted) {
    if (!discarded_.contains(id)) diary_.wrong("letter", "there is no dead letter " + id);
  }
}

}  // namespace baton::simulation
