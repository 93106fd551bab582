#include "spec/meant.hpp"

#include <array>
#include <vector>

#include "base/text.hpp"

namespace baton::spec {
namespace {

// What other tools call it.
struct Foreign {
  Shape shape;
  std::string_view theirs;
  std::string_view ours;
};
constexpr std::array kForeign = {
    Foreign{Shape::workflow, "jobs", "steps"},
    Foreign{Shape::workflow, "tasks", "steps"},
    Foreign{Shape::workflow, "nodes", "steps"},
    Foreign{Shape::workflow, "stages", "steps"},
    Foreign{Shape::workflow, "params", "inputs"},
    Foreign{Shape::workflow, "parameters", "inputs"},
    Foreign{Shape::workflow, "on", "schedules"},
    Foreign{Shape::workflow, "schedule", "schedules"},
    Foreign{Shape::workflow, "cron", "schedules"},
    Foreign{Shape::workflow, "environment", "env"},
    Foreign{Shape::workflow, "id", "name"},
    Foreign{Shape::workflow, "concurrency_limit", "max_parallel"},
    Foreign{Shape::step, "depends_on", "needs"},
    Foreign{Shape::step, "depends", "needs"},
    Foreign{Shape::step, "dependencies", "needs"},
    Foreign{Shape::step, "after", "needs"},
    Foreign{Shape::step, "upstream", "needs"},
    Foreign{Shape::step, "if", "when"},
    Foreign{Shape::step, "condition", "when"},
    Foreign{Shape::step, "foreach", "for_each"},
    Foreign{Shape::step, "loop", "for_each"},
    Foreign{Shape::step, "with_items", "for_each"},
    Foreign{Shape::step, "matrix", "for_each"},
    Foreign{Shape::step, "map", "for_each"},
    Foreign{Shape::step, "command", "run"},
    Foreign{Shape::step, "cmd", "run"},
    Foreign{Shape::step, "script", "run"},
    Foreign{Shape::step, "shell_command", "run"},
    Foreign{Shape::step, "bash", "run"},
    Foreign{Shape::step, "args", "exec"},
    Foreign{Shape::step, "argv", "exec"},
    Foreign{Shape::step, "cwd", "workdir"},
    Foreign{Shape::step, "dir", "workdir"},
    Foreign{Shape::step, "working-directory", "workdir"},
    Foreign{Shape::step, "working_directory", "workdir"},
    Foreign{Shape::step, "environment", "env"},
    Foreign{Shape::step, "retries", "retry"},
    Foreign{Shape::step, "continue-on-error", "continue_on_error"},
    Foreign{Shape::step, "timeout-minutes", "timeout"},
    Foreign{Shape::step, "execution_timeout", "timeout"},
    Foreign{Shape::step, "estimated_duration", "estimate"},
    Foreign{Shape::step, "name", "title"},
    Foreign{Shape::step, "label", "title"},
    Foreign{Shape::step, "output", "parse"},
    Foreign{Shape::step, "params", "with"},
    Foreign{Shape::step, "input", "with"},
    Foreign{Shape::step, "inputs", "with"},
    Foreign{Shape::step, "request", "http"},
    Foreign{Shape::step, "webhook", "http"},
    Foreign{Shape::step, "rest", "http"},
    Foreign{Shape::http, "uri", "url"},
    Foreign{Shape::http, "endpoint", "url"},
    Foreign{Shape::http, "verb", "method"},
    Foreign{Shape::http, "header", "headers"},
    Foreign{Shape::http, "params", "query"},
    Foreign{Shape::http, "parameters", "query"},
    Foreign{Shape::http, "data", "body"},
    Foreign{Shape::http, "content", "body"},
    Foreign{Shape::http, "payload", "json"},
    Foreign{Shape::http, "status", "expect"},
    Foreign{Shape::http, "success_codes", "expect"},
    Foreign{Shape::http, "redirects", "follow"},
    Foreign{Shape::http, "max_redirects", "follow"},
    Foreign{Shape::http, "allow_redirects", "follow"},
    Foreign{Shape::tls, "insecure", "verify"},
    Foreign{Shape::tls, "verify_ssl", "verify"},
    Foreign{Shape::tls, "ca_file", "ca"},
    Foreign{Shape::tls, "cacert", "ca"},
    Foreign{Shape::step, "sleep", "wait"},
    Foreign{Shape::step, "delay", "wait"},
    Foreign{Shape::step, "sensor", "wait"},
    Foreign{Shape::step, "suspend", "wait"},
    Foreign{Shape::step, "approve", "wait"},
    Foreign{Shape::step, "branch", "switch"},
    Foreign{Shape::step, "choice", "switch"},
    Foreign{Shape::step, "case", "switch"},
    Foreign{Shape::step, "repeat_policy", "repeat"},
    Foreign{Shape::step, "while", "repeat"},
    Foreign{Shape::wait, "duration", "for"},
    Foreign{Shape::wait, "seconds", "for"},
    Foreign{Shape::wait, "event", "signal"},
    Foreign{Shape::wait, "approve", "approval"},
    Foreign{Shape::wait, "interval", "every"},
    Foreign{Shape::child, "workflow", "name"},
    Foreign{Shape::child, "wait", "detach"},
    Foreign{Shape::branch, "if", "when"},
    Foreign{Shape::branch, "condition", "when"},
    Foreign{Shape::branch, "next", "goto"},
    Foreign{Shape::branch, "then", "goto"},
    Foreign{Shape::branch, "default", "else"},
    Foreign{Shape::branch, "otherwise", "else"},
    Foreign{Shape::repeat, "limit", "max"},
    Foreign{Shape::repeat, "times", "max"},
    Foreign{Shape::repeat, "count", "max"},
    Foreign{Shape::repeat, "every", "delay"},
    Foreign{Shape::repeat, "interval", "delay"},
    Foreign{Shape::step, "memoize", "cache"},
    Foreign{Shape::step, "caching", "cache"},
    Foreign{Shape::step, "cache_key", "cache"},
    Foreign{Shape::cache, "expiration", "ttl"},
    Foreign{Shape::cache, "expires", "ttl"},
    Foreign{Shape::cache, "max_age", "ttl"},
    Foreign{Shape::step, "pool", "uses"},
    Foreign{Shape::step, "pools", "uses"},
    Foreign{Shape::step, "resources", "uses"},
    Foreign{Shape::step, "mutex", "concurrency"},
    Foreign{Shape::step, "semaphore", "concurrency"},
    Foreign{Shape::step, "concurrency_limit", "concurrency"},
    Foreign{Shape::step, "rate", "rate_limit"},
    Foreign{Shape::step, "throttle", "rate_limit"},
    Foreign{Shape::step, "fairness", "fair_key"},
    Foreign{Shape::step, "tenant", "fair_key"},
    Foreign{Shape::concurrency, "group", "key"},
    Foreign{Shape::concurrency, "name", "key"},
    Foreign{Shape::concurrency, "max", "limit"},
    Foreign{Shape::rate_limit, "name", "key"},
    Foreign{Shape::rate_limit, "rate", "limit"},
    Foreign{Shape::rate_limit, "period", "per"},
    Foreign{Shape::rate_limit, "interval", "per"},
    Foreign{Shape::retry, "attempts", "max_attempts"},
    Foreign{Shape::retry, "limit", "max_retries"},
    Foreign{Shape::retry, "count", "max_retries"},
    Foreign{Shape::retry, "delay", "initial"},
    Foreign{Shape::retry, "interval", "initial"},
    Foreign{Shape::retry, "factor", "multiplier"},
    Foreign{Shape::retry, "max_delay", "max"},
    Foreign{Shape::timeout, "kill", "hard"},
    Foreign{Shape::timeout, "term", "soft"},
};

}  // namespace

std::string_view meant_field(Shape shape, std::string_view word) {
  for (const Foreign& f : kForeign) {
    if (f.shape == shape && f.theirs == word) return f.ours;
  }
  std::vector<std::string_view> names;
  for (const Field* field : fields_of(shape)) names.push_back(field->name);
  return nearest(word, names);
}

}  // namespace baton::spec
