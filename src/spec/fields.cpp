#include "spec/fields.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace baton::spec {
namespace {

constexpr double kMaxCount = 4'294'967'295;

constexpr std::array kFields = {
    // ------------------------------------------------------------------------------------------------
    // workflow
    Field{.owner = Shape::workflow,
          .name = "name",
          .forms = Form::name,
          .description = "The workflow's name, unique in its namespace.",
          .example = "name: dataset-build",
          .required = true},
    Field{.owner = Shape::workflow,
          .name = "title",
          .forms = Form::text,
          .description = "A title for people.",
          .default_text = "the name",
          .example = "title: Dataset build"},
    Field{.owner = Shape::workflow,
          .name = "description",
          .forms = Form::prose,
          .description = "What the workflow is for, in any number of lines.",
          .example = "description: Builds a clean image dataset."},
    Field{.owner = Shape::workflow,
          .name = "labels",
          .forms = Form::labels,
          .description = "Words to find the workflow and its runs by.",
          .example = "labels: {team: data, tier: gold}"},
    Field{
        .owner = Shape::workflow,
        .name = "inputs",
        .forms = Form::inputs,
        .description =
            "What a run is started with: for each name a JSON Schema (type, enum, minimum, pattern, items, "
            "properties …), with `default` for the value to use when none is given and `optional: true` "
            "for an input that is null then. An input without both must be given; one that is not declared "
            "is "
            "an error.",
        .example = "inputs:\n  source: {type: string}\n  limit: {type: integer, minimum: 1, default: 1000}"},
    Field{.owner = Shape::workflow,
          .name = "defaults",
          .forms = Form::object,
          .description =
              "Values for all steps that do not say otherwise. A step's own field replaces the default as a "
              "whole; only `env` is merged.",
          .example = "defaults: {timeout: 10m, retry: {max_attempts: 4}}",
          .shape = Shape::defaults},
    Field{.owner = Shape::workflow,
          .name = "env",
          .forms = Form::environment,
          .description =
              "Environment variables of all process steps. A step's own `env` wins over it. Expressions "
              "here may read `inputs`, `run`, `env` and `secrets`.",
          .example = "env: {LC_ALL: C, SOURCE: \"${{ inputs.source }}\"}",
          .takes_secrets = true},
    Field{
        .owner = Shape::workflow,
        .name = "steps",
        .forms = Form::steps,
        .description =
            "The steps by name. A step starts when all steps that it `needs` have ended well; steps without "
            "`needs` start at once. A workflow without steps is a draft: it can be kept, not started.",
        .example = "steps:\n  fetch: {run: ./fetch.sh}\n  check: {needs: [fetch], run: ./check.sh}",
        .shape = Shape::step},
    Field{.owner = Shape::workflow,
          .name = "finally",
          .forms = Form::steps,
          .description =
              "Steps that run when all others are over, however the run ended. They see the results of all "
              "steps and `run.status`; their `needs` name other `finally` steps. They have a timeout of 5m "
              "and 3 attempts unless they or `defaults` say otherwise.",
          .example = "finally:\n  report: {exec: [./report.sh, \"${{ run.status }}\"]}",
          .shape = Shape::step},
    Field{.owner = Shape::workflow,
          .name = "max_parallel",
          .forms = Form::integer,
          .description = "How many tasks of one run may be running at a time.",
          .default_text = "no limit",
          .example = "max_parallel: 8",
          .minimum = 1,
          .maximum = kMaxCount},
    Field{.owner = Shape::workflow,
          .name = "fail_fast",
          .forms = Form::boolean,
          .description =
              "When a step fails: cancel what runs and skip the rest. Otherwise independent steps go on.",
          .default_text = "false",
          .example = "fail_fast: true"},
    Field{.owner = Shape::workflow,
          .name = "max_recovery_attempts",
          .forms = Form::integer,
          .description = "How many times a failed run may be recovered.",
          .default_text = "3",
          .example = "max_recovery_attempts: 5",
          .minimum = 0,
          .maximum = 1'000'000},
    Field{.owner = Shape::workflow,
          .name = "on_error",
          .forms = Form::objects,
          .description =
              "Rules for the failed attempts of all steps, after the step's own. The first match wins.",
          .example = "on_error:\n  - {match: {message: quota}, do: hold, alert: critical}",
          .shape = Shape::rule},
    Field{.owner = Shape::workflow,
          .name = "retry_budget",
          .forms = Form::integer,
          .description = "How many retries all tasks of one run may use together. When they are used up, a "
                         "failed attempt is "
                         "the last one of its task.",
          .default_text = "no limit",
          .example = "retry_budget: 100",
          .minimum = 0,
          .maximum = kMaxCount},
    Field{.owner = Shape::workflow,
          .name = "deadline",
          .forms = Form::duration,
          .description = "Time for a whole run, from its start; pauses do not count. When it is over, what "
                         "runs is cancelled "
                         "and the run fails with the type `timeout`; `finally` follows.",
          .default_text = "none",
          .example = "deadline: 6h"},
    Field{
        .owner = Shape::workflow,
        .name = "sla",
        .forms = Form::duration,
        .description =
            "Time after which a run is reported as late, once (event `run.sla_missed`). Nothing is stopped.",
        .default_text = "none",
        .example = "sla: 2h"},
    Field{.owner = Shape::workflow,
          .name = "recovery",
          .forms = Form::object,
          .description = "Recovers failed runs without a person.",
          .example = "recovery: {auto: true, max_attempts: 2, delay: 5m}",
          .shape = Shape::recovery},
    Field{.owner = Shape::workflow,
          .name = "concurrency",
          .forms = Form::object,
          .description =
              "At most so many of its runs go on at a time: the others wait, `pending`, until one has ended. "
              "Expressions in `key` may read `inputs`; without one the limit has the workflow's name. A run "
              "has its "
              "place from its beginning to its end, pauses included.",
          .default_text = "no limit",
          .example = "concurrency: {key: \"train-${{ inputs.cluster }}\", limit: 2}",
          .shape = Shape::concurrency},
    Field{.owner = Shape::workflow,
          .name = "targets",
          .forms = Form::named,
          .description = "Downstream services by name, each with its URL, breaker, retry policy and "
                         "timeouts. They hold for "
                         "every step that names the target and does not say otherwise itself.",
          .example =
              "targets:\n  nlp:\n    url: \"${{ env.NLP_URL }}\"\n    breaker: {failures: 5, recovery: 60s}\n"
              "    retry: {preset: agents}",
          .shape = Shape::target},
    Field{
        .owner = Shape::workflow,
        .name = "retention",
        .forms = Form::duration | Form::word | Form::object,
        .description =
            "How long its runs are kept after their end; one value holds for all of them. `0` and `forever` "
            "keep them until somebody removes them. What counts is the version that was applied last, for "
            "runs of all versions.",
        .default_text = "as the owner is set: 30d, failed runs 90d",
        .example = "retention: {completed: 7d, failed: 30d}",
        .shape = Shape::retention,
        .words = "forever"},
    Field{.owner = Shape::workflow,
          .name = "alerts",
          .forms = Form::object,
          .description = "Whom to tell about what.",
          .example = "alerts: {on: [failed, sla_missed], to: [ops]}",
          .shape = Shape::alerts,
          .status = Status::later},
    Field{.owner = Shape::workflow,
          .name = "schedules",
          .forms = Form::objects,
          .description = "When runs start by themselves. Each schedule has one of `cron`, `every` and `at`.",
          .example = "schedules:\n  - {cron: \"0 0 * * *\", timezone: Europe/Berlin, overlap: skip, catchup: "
                     "last, input: "
                     "{limit: 5000}}",
          .shape = Shape::schedule,
          .status = Status::later},
    Field{.owner = Shape::workflow,
          .name = "rollout",
          .forms = Form::object,
          .description = "Which part of new runs takes this version, and when it is taken back by itself.",
          .example = "rollout: {percent: 10, rollback: {failure_rate: 5, min_runs: 20}}",
          .shape = Shape::rollout,
          .status = Status::later},

    // ------------------------------------------------------------------------------------------------
    // defaults
    Field{.owner = Shape::defaults,
          .name = "queue",
          .forms = Form::name,
          .description = "The queue of steps that name none.",
          .default_text = "as a route says, else `default`",
          .example = "queue: images"},
    Field{.owner = Shape::defaults,
          .name = "timeout",
          .forms = Form::duration | Form::object,
          .description = "The time limit for one attempt of `run`, `exec` and `http` steps that have none.",
          .example = "timeout: 10m",
          .shape = Shape::timeout},
    Field{.owner = Shape::defaults,
          .name = "retry",
          .forms = Form::object,
          .description = "The retry policy of `run`, `exec` and `http` steps that have none.",
          .example = "retry: {max_attempts: 4}",
          .shape = Shape::retry},
    Field{.owner = Shape::defaults,
          .name = "priority",
          .forms = Form::integer,
          .description = "The priority of a run that is started without one: 0 to 9, 9 is most urgent.",
          .default_text = "5",
          .example = "priority: 7",
          .minimum = 0,
          .maximum = 9},
    Field{.owner = Shape::defaults,
          .name = "shell",
          .forms = Form::words_list,
          .description = "The shell of `run` steps that name none.",
          .default_text = "[sh, -e, -c]",
          .example = "shell: [bash, -euo, pipefail, -c]"},
    Field{.owner = Shape::defaults,
          .name = "env",
          .forms = Form::environment,
          .description = "Environment variables of process steps, below the workflow's `env`.",
          .example = "env: {LC_ALL: C}",
          .takes_secrets = true},
    Field{.owner = Shape::defaults,
          .name = "workdir",
          .forms = Form::templated,
          .description =
              "The working directory of process steps that name none. Expressions here may read `inputs`, "
              "`run` and `env`.",
          .default_text = "the run's directory",
          .example = "workdir: /srv/images"},

    // ----------------------------------------------------------------------------------------------------
    // step
    Field{
        .owner = Shape::step,
        .name = "run",
        .forms = Form::script,
        .description =
            "Kind: a script for the shell. Values reach it by `env`, never by `${{ }}` in its text, so that "
            "no value can become code.",
        .example = "run: ./fetch.sh \"$SOURCE\"\nenv: {SOURCE: \"${{ inputs.source }}\"}",
        .is_kind = true,
        .kinds = kinds::run,
        .also = Shape::action},
    Field{.owner = Shape::step,
          .name = "exec",
          .forms = Form::arguments,
          .description = "Kind: a program and its arguments, without a shell.",
          .example = "exec: [convert, \"${{ item }}\", out.png]",
          .is_kind = true,
          .kinds = kinds::exec,
          .also = Shape::action},
    Field{.owner = Shape::step,
          .name = "set",
          .forms = Form::values,
          .description = "Kind: values to compute; they are the step's result. No process starts.",
          .example = "set: {total: \"${{ size(steps.list.result.files) }}\"}",
          .is_kind = true,
          .kinds = kinds::set},
    Field{.owner = Shape::step,
          .name = "http",
          .forms = Form::object,
          .description =
              "Kind: an HTTP request. The result is `{status, headers, body}`: the names of headers in lower "
              "case, the body as JSON if the response's content type says so, else as text.",
          .example =
              "http: {method: POST, url: \"http://nlp:8001/process\", json: {query: \"${{ inputs.text }}\"}}",
          .shape = Shape::http,
          .is_kind = true,
          .kinds = kinds::http,
          .also = Shape::action},
    Field{
        .owner = Shape::step,
        .name = "task",
        .forms = Form::name,
        .description =
            "Kind: a function that workers have, by its name. It gets the step's `with`; what it returns is "
            "the step's result. Only workers that have it take it from the queue.",
        .example = "task: images.label\nwith: {paths: \"${{ steps.list.result.paths }}\"}",
        .is_kind = true,
        .kinds = kinds::task,
        .also = Shape::action},
    Field{.owner = Shape::step,
          .name = "celery",
          .forms = Form::object,
          .description = "Kind: a task that a Celery worker executes.",
          .example = "celery: {task: images.label, args: [\"${{ item }}\"], queue: gpu}",
          .shape = Shape::celery,
          .is_kind = true,
          .status = Status::later,
          .also = Shape::action},
    Field{
        .owner = Shape::step,
        .name = "workflow",
        .forms = Form::name | Form::object,
        .description =
            "Kind: a run of another workflow that was applied, with the step's `with` as its input. The step "
            "holds no worker while it waits for that run, and takes no place of the run's `max_parallel`; it "
            "fails if the run does. Its result is that of the run's last step, or an object of the results "
            "of "
            "its last steps by their names. A name is short for `{name: …}`.",
        .example = "workflow: {name: train-model, version: 3}\nwith: {dataset: \"${{ inputs.dataset }}\"}",
        .shape = Shape::child,
        .is_kind = true,
        .kinds = kinds::workflow},
    Field{.owner = Shape::step,
          .name = "wait",
          .forms = Form::duration | Form::object,
          .description =
              "Kind: wait for a time, a signal, an approval, or until a poll says so. It holds no worker "
              "while it "
              "waits and takes no place of the run's `max_parallel`. A duration is short for `{for: …}`.",
          .example = "wait: {signal: data-arrived, timeout: 2h}",
          .shape = Shape::wait,
          .is_kind = true,
          .kinds = kinds::wait},
    Field{.owner = Shape::step,
          .name = "switch",
          .forms = Form::objects,
          .description = "Kind: choose one of several branches. The first one whose `when` is true is taken; "
                         "steps that can be "
                         "reached only through the others are skipped. Its result is `{branch, goto}`: the "
                         "number of the branch "
                         "from 0 on, and the steps it goes to.",
          .example = "switch:\n  - {when: inputs.size > 1000, goto: split}\n  - {else: whole}",
          .shape = Shape::branch,
          .minimum = 1,
          .is_kind = true,
          .kinds = kinds::switch_},
    Field{.owner = Shape::step,
          .name = "title",
          .forms = Form::text,
          .description = "A title for people.",
          .default_text = "the name",
          .example = "title: Download images"},
    Field{.owner = Shape::step,
          .name = "type",
          .forms = Form::text,
          .description = "A word of your own that tells people what sort of work this is.",
          .default_text = "the kind",
          .example = "type: download"},
    Field{.owner = Shape::step,
          .name = "needs",
          .forms = Form::names,
          .description =
              "The steps that must have ended before this one starts. A step that was skipped by its own "
              "`when` does not hold it up; one that failed does.",
          .example = "needs: [fetch, check]"},
    Field{.owner = Shape::step,
          .name = "when",
          .forms = Form::expression,
          .description =
              "A condition, evaluated once when the step is ready: false skips the step. If it mentions "
              "`item`, it is evaluated for each item.",
          .example = "when: steps.check.result.language != \"en\""},
    Field{
        .owner = Shape::step,
        .name = "for_each",
        .forms = Form::items,
        .description =
            "Runs the step once for each item of a list, or of a map (items `{key, value}`, sorted by key). "
            "Expressions of the step read `item` and `index`; its result is the list of the results.",
        .example = "for_each: ${{ steps.list.result.batches }}",
        .kinds = kinds::mapped},
    Field{.owner = Shape::step,
          .name = "max_parallel",
          .forms = Form::integer,
          .description = "How many items of a `for_each` may be running at a time.",
          .default_text = "no limit",
          .example = "max_parallel: 8",
          .minimum = 1,
          .maximum = kMaxCount,
          .kinds = kinds::mapped},
    Field{
        .owner = Shape::step,
        .name = "with",
        .forms = Form::value,
        .description =
            "Arguments for the step. A process finds them as JSON in the file `$BATON_INPUT`; a function is "
            "called with them; of a `workflow` they are the input of its run.",
        .example = "with: {paths: \"${{ steps.list.result.paths }}\"}",
        .kinds = kinds::process | kinds::task | kinds::workflow,
        .also = Shape::action,
        .takes_secrets = true},
    Field{
        .owner = Shape::step,
        .name = "env",
        .forms = Form::environment,
        .description =
            "Environment variables, added to the workflow's. A process sees these, a few of the host (PATH, "
            "HOME, USER, LANG, LC_*, TZ, TMPDIR) and Baton's own, no others.",
        .example = "env: {LIMIT: \"${{ inputs.limit }}\"}",
        .kinds = kinds::process,
        .also = Shape::action,
        .takes_secrets = true},
    Field{.owner = Shape::step,
          .name = "workdir",
          .forms = Form::templated,
          .description = "The working directory.",
          .default_text = "the run's directory",
          .example = "workdir: /srv/images",
          .kinds = kinds::process,
          .also = Shape::action},
    Field{.owner = Shape::step,
          .name = "shell",
          .forms = Form::words_list,
          .description = "The program that gets the script of `run` as its last argument.",
          .default_text = "[sh, -e, -c]",
          .example = "shell: [bash, -euo, pipefail, -c]",
          .kinds = kinds::run,
          .also = Shape::action},
    Field{.owner = Shape::step,
          .name = "parse",
          .forms = Form::word,
          .description =
              "`json`: standard output is the step's result, as JSON. Otherwise the result is what the "
              "process wrote to `$BATON_RESULT`, else its output as text.",
          .example = "parse: json",
          .words = "json",
          .kinds = kinds::process,
          .also = Shape::action},
    Field{.owner = Shape::step,
          .name = "retry",
          .forms = Form::object,
          .description =
              "What to do when an attempt fails. Without it there is one attempt; `retry: {}` is the preset "
              "`jobs`.",
          .example = "retry: {max_attempts: 5, backoff: exponential, initial: 1s, max: 60s, jitter: full}",
          .shape = Shape::retry,
          .kinds = kinds::attempts | kinds::workflow,
          .also = Shape::action},
    Field{
        .owner = Shape::step,
        .name = "repeat",
        .forms = Form::object,
        .description =
            "Does the step again until a condition holds. Each round is attempts of the same task: `retry` "
            "counts "
            "anew, and a round that fails for good ends the repeating. The result is that of the last round.",
        .example = "repeat: {until: self.result.done, max: 20, delay: 10s}",
        .shape = Shape::repeat,
        .kinds = kinds::attempts},
    Field{
        .owner = Shape::step,
        .name = "timeout",
        .forms = Form::duration | Form::object,
        .description =
            "The time limit for one attempt, from its start. A duration T is short for `{soft: T, hard: T + "
            "10s}`. The request of an `http` step ends at `soft`.",
        .default_text = "5m for `http`, none for other kinds",
        .example = "timeout: 5m",
        .shape = Shape::timeout,
        .kinds = kinds::attempts,
        .also = Shape::action},
    Field{.owner = Shape::step,
          .name = "queue",
          .forms = Form::name,
          .description = "The queue to wait in.",
          .default_text = "that of `defaults`",
          .example = "queue: gpu",
          .also = Shape::action},
    Field{.owner = Shape::step,
          .name = "priority",
          .forms = Form::integer,
          .description = "0 to 9, 9 is most urgent.",
          .default_text = "the run's",
          .example = "priority: 7",
          .minimum = 0,
          .maximum = 9},
    Field{
        .owner = Shape::step,
        .name = "continue_on_error",
        .forms = Form::boolean,
        .description =
            "A failure of this step does not fail the run, and steps that need it run (its result is null).",
        .default_text = "false",
        .example = "continue_on_error: true"},
    Field{.owner = Shape::step,
          .name = "trigger_rule",
          .forms = Form::word,
          .description = "Which endings of the steps in `needs` let this one start. `none_failed`: none "
                         "failed; one that was "
                         "skipped is fine. `all_success`: a skipped one skips this one, too. `one_success`, "
                         "`one_failed` and "
                         "`one_done` start at the first match, all others when all have ended. `always` is "
                         "`all_done`. The names "
                         "mean what they mean in Airflow.",
          .default_text = "none_failed",
          .example = "needs: [fetch]\ntrigger_rule: one_failed",
          .words = "none_failed all_success all_failed all_done all_skipped one_success one_failed one_done "
                   "none_failed_min_one_success none_skipped always"},
    Field{.owner = Shape::step,
          .name = "on_error",
          .forms = Form::objects,
          .description = "Rules for failed attempts. The first match wins; if there is none, the workflow's "
                         "rules are asked. What "
                         "matches no rule is retried, except what never helps to try again.",
          .example = "on_error:\n"
                     "  - {match: {type: [timeout, connection]}, do: retry, delay: 1m}\n"
                     "  - {match: {exit: 3}, do: hold, alert: critical}",
          .shape = Shape::rule},
    Field{.owner = Shape::step,
          .name = "fallback",
          .forms = Form::object,
          .description = "What to do instead when the attempts are used up or a rule says `do: fallback`. It "
                         "has one attempt "
                         "unless its own `retry` says otherwise, and may read `self.error`. If it succeeds, "
                         "its result is the "
                         "step's.",
          .example = "fallback: {exec: [./simple.py, \"${{ self.error.type }}\"]}",
          .shape = Shape::action,
          .kinds = kinds::attempts,
          .reads_self = true},
    Field{.owner = Shape::step,
          .name = "max_failures",
          .forms = Form::integer | Form::percent,
          .description = "How many items of a `for_each` may fail for good, as a number or a percentage of "
                         "them. With more, items "
                         "that have not started are cancelled and the step fails.",
          .default_text = "0",
          .example = "max_failures: 5%",
          .minimum = 0,
          .maximum = kMaxCount},
    Field{.owner = Shape::step,
          .name = "result_schema",
          .forms = Form::schema,
          .description = "A JSON Schema that the result (of a mapped step: of each item) must fit. One that "
                         "does not fails the "
                         "attempt with the type `validation`, which is not retried unless a rule says so.",
          .example = "result_schema: {type: object, required: [files]}"},
    Field{.owner = Shape::step,
          .name = "deadline",
          .forms = Form::duration,
          .description = "Time for all attempts and waits of the step (of a mapped one: of all its items), "
                         "from when it is ready. "
                         "When it is over, the step fails with the type `timeout` and is not retried.",
          .default_text = "none",
          .example = "deadline: 1h"},
    Field{.owner = Shape::step,
          .name = "sla",
          .forms = Form::duration,
          .description = "Time after which the step is reported as late, once (event `task.sla_missed`). "
                         "Nothing is stopped.",
          .default_text = "none",
          .example = "sla: 20m"},
    Field{
        .owner = Shape::step,
        .name = "critical",
        .forms = Form::boolean,
        .description = "A failure of the step raises an alert of severity `critical` (event `alert.raised`).",
        .default_text = "false",
        .example = "critical: true"},
    Field{.owner = Shape::step,
          .name = "tags",
          .forms = Form::texts,
          .description = "Words of your own, shown with the step's tasks.",
          .example = "tags: [gpu, nightly]",
          .minimum = 1},
    Field{.owner = Shape::step,
          .name = "metadata",
          .forms = Form::map,
          .description = "Values of your own for people and tools; they are shown with the step's tasks.",
          .example = "metadata: {owner: data-team, runbook: \"https://wiki.example/labels\"}"},
    Field{.owner = Shape::step,
          .name = "estimate",
          .forms = Form::duration,
          .description = "About how long the step takes; for progress and the time left.",
          .example = "estimate: 5m"},
    Field{.owner = Shape::step,
          .name = "response_schema",
          .forms = Form::schema,
          .description =
              "A JSON Schema that the body of an expected response must fit. One that does not fails the "
              "attempt with the type `validation`, which is not retried.",
          .example = "response_schema: {type: object, required: [text]}",
          .kinds = kinds::http,
          .also = Shape::action},
    Field{.owner = Shape::step,
          .name = "cleanup",
          .forms = Form::object,
          .description =
              "An action that gives back what the step has made. It runs at the end of the run, however that "
              "ends, if the step has started: after the cleanups of the steps that needed this one; for each "
              "item "
              "of a `for_each`. Its expressions may read `self`: the step's result (of a failed one: what it "
              "wrote "
              "to `$BATON_RESULT`), `error`, `attempt` and `status`. It has a timeout of 5m and 3 attempts "
              "unless "
              "it says otherwise. What it fails to do is listed by `baton resources list` as leaked.",
          .example = "cleanup: {exec: [./undeploy.sh, \"${{ self.result.id }}\"]}",
          .shape = Shape::cleanup,
          .kinds = kinds::attempts,
          .reads_self = true},
    Field{.owner = Shape::step,
          .name = "compensate",
          .forms = Form::object,
          .description = "An action that undoes the completed step when its run fails or is cancelled: one "
                         "after the other, "
                         "the step that completed last comes first. It reads `self`, has a timeout and "
                         "attempts, and leaks as "
                         "`cleanup` does.",
          .example = "compensate: {exec: [./refund.sh, \"${{ self.result.payment }}\"]}",
          .shape = Shape::action,
          .kinds = kinds::attempts,
          .reads_self = true},
    Field{.owner = Shape::step,
          .name = "preflight",
          .forms = Form::boolean | Form::object,
          .description =
              "A check before the first attempt: an action of its own, or `true` for the `health` of "
              "the step's `target`. It goes through the step's breaker. When it succeeds the step "
              "starts; when its own attempts are used up, its error is the step's: rules and "
              "`fallback` hold for it.",
          .default_text = "false",
          .example = "preflight: {exec: [test, -d, /mnt/data]}",
          .shape = Shape::action,
          .kinds = kinds::attempts},
    Field{.owner = Shape::step,
          .name = "target",
          .forms = Form::name,
          .description = "The downstream service that the step uses, one of the workflow's `targets`. It "
                         "gives the step its "
                         "`breaker`, `retry` and `timeout`, and `http.url` may be a path below its URL.",
          .example = "target: nlp\nhttp: {method: POST, url: /process}",
          .kinds = kinds::attempts},
    Field{.owner = Shape::step,
          .name = "operation",
          .forms = Form::name,
          .description =
              "Which of the target's `operations` it is: its `retry` and `timeout` win over the target's.",
          .example = "operation: analyze",
          .kinds = kinds::attempts},
    Field{
        .owner = Shape::step,
        .name = "breaker",
        .forms = Form::name | Form::object,
        .description =
            "The circuit breaker that the step's attempts go through; steps that name the same one share it, "
            "also those of other workflows. While it is open nothing behind it is started: the step does its "
            "`fallback`, or what a rule for `breaker_open` says, else it waits until the breaker has "
            "recovered.",
        .example = "breaker: {name: nlp, failures: 5, recovery: 60s}",
        .shape = Shape::breaker,
        .kinds = kinds::attempts},
    Field{
        .owner = Shape::step,
        .name = "concurrency",
        .forms = Form::object | Form::objects,
        .description =
            "At most so many attempts with the same key run at a time, of all runs and workflows together. A "
            "list of several is taken together or not at all. An attempt holds them from its start to its "
            "end, not while the task waits to be tried again.",
        .example = "concurrency: {key: \"deploy-${{ inputs.cluster }}\", limit: 1}",
        .shape = Shape::concurrency,
        .kinds = kinds::attempts},
    Field{
        .owner = Shape::step,
        .name = "uses",
        .forms = Form::amounts,
        .description =
            "How much an attempt takes of limits that are set by command (`baton limits set gpu 4`), from "
            "its "
            "start to its end. All are taken together or not at all. Of a limit that nobody has set there is "
            "nothing: the task waits.",
        .example = "uses: {gpu: 1, licence: 2}",
        .minimum = 1,
        .maximum = 1'000'000,
        .kinds = kinds::attempts},
    Field{.owner = Shape::step,
          .name = "rate_limit",
          .forms = Form::object,
          .description =
              "How many attempts with the same key may start in a span of time. A start that has failed "
              "counts as well.",
          .example = "rate_limit: {limit: 100, per: 1m, key: maps-api}",
          .shape = Shape::rate_limit,
          .kinds = kinds::attempts},
    Field{.owner = Shape::step,
          .name = "fair_key",
          .forms = Form::templated,
          .description = "Tasks of different keys take turns in their queue, among those of one priority: "
                         "who has a million "
                         "waiting does not keep others waiting. Usually the tenant.",
          .example = "fair_key: ${{ inputs.customer }}",
          .kinds = kinds::attempts},
    Field{
        .owner = Shape::step,
        .name = "cache",
        .forms = Form::duration | Form::object,
        .description =
            "Takes the result that the step has made before for the same key, if it is not older than `ttl`, "
            "instead of doing the work: no attempt starts, and neither `cleanup` nor `compensate` follows. "
            "Only "
            "results of completed work are kept, for each item of a `for_each` its own; a step that was "
            "changed "
            "begins anew. What is recovered is done again. A duration is short for `{ttl: …}`.",
        .example = "cache: {key: \"${{ inputs.day }}\", ttl: 7d}",
        .shape = Shape::cache,
        .kinds = kinds::attempts},
    Field{.owner = Shape::step,
          .name = "secrets",
          .forms = Form::texts,
          .description =
              "The secrets that the step may read, by name: `${{ secrets.OTHER }}` in it is then an "
              "error. Without it the step may read any.",
          .default_text = "all",
          .example = "secrets: [API_TOKEN]",
          .kinds = kinds::attempts | kinds::wait},

    // -------------------------------------------------------------------------------------------------------
    // wait
    Field{.owner = Shape::wait,
          .name = "for",
          .forms = Form::duration | Form::templated,
          .description = "A span of time, from the moment at which the step is ready.",
          .example = "for: 10m"},
    Field{.owner = Shape::wait,
          .name = "until",
          .forms = Form::expression | Form::templated,
          .description = "An instant (RFC 3339); one that has passed already ends the wait at once. Beside "
                         "`poll`: a condition "
                         "over `self`, asked after each poll that succeeded; without it the first poll that "
                         "succeeds ends the "
                         "wait.",
          .example = "until: \"${{ inputs.publish_at }}\"",
          .reads_self = true},
    Field{.owner = Shape::wait,
          .name = "signal",
          .forms = Form::templated,
          .description = "The name of a signal to the run (`baton signal RUN NAME`). Signals are kept from "
                         "the run's start; "
                         "each wait takes the oldest one of its name, whose data is the step's result.",
          .example = "signal: data-arrived"},
    Field{.owner = Shape::wait,
          .name = "approval",
          .forms = Form::boolean | Form::templated,
          .description =
              "The question that a person answers (`baton runs approve RUN`, `baton runs reject RUN`); "
              "`true` for none. "
              "The result is `{approved, by, reason, value}`; a rejection is a failure of type `rejected`.",
          .example = "approval: \"Deploy ${{ inputs.version }}?\""},
    Field{.owner = Shape::wait,
          .name = "poll",
          .forms = Form::object,
          .description = "An action that is done again and again until it says that the wait is over. Its "
                         "last result is the "
                         "step's result. Without `until`, failures of type exit, signal, http, connection "
                         "and timeout mean \"not "
                         "yet\"; with `until`, a poll that fails for good fails the step.",
          .example = "poll: {exec: [test, -e, /data/ready]}",
          .shape = Shape::action},
    Field{.owner = Shape::wait,
          .name = "every",
          .forms = Form::duration,
          .description = "The time from the end of a poll to the next one.",
          .default_text = "10s",
          .example = "every: 30s"},
    Field{.owner = Shape::wait,
          .name = "timeout",
          .forms = Form::duration,
          .description =
              "How long to wait for a signal, an approval or a poll; then the step fails (`timeout`).",
          .default_text = "none; 5m under `finally`",
          .example = "timeout: 2h"},

    // -------------------------------------------------------------------------------------------------------
    // workflow
    Field{.owner = Shape::child,
          .name = "name",
          .forms = Form::name,
          .description = "The workflow's name, as it was applied.",
          .example = "name: train-model",
          .required = true},
    Field{.owner = Shape::child,
          .name = "version",
          .forms = Form::integer,
          .description = "Its version.",
          .default_text = "the newest one when the step starts",
          .example = "version: 3",
          .minimum = 1,
          .maximum = kMaxCount},
    Field{
        .owner = Shape::child,
        .name = "detach",
        .forms = Form::boolean,
        .description =
            "Only begin the run: the step is completed with `{run: ID}` at once, and what becomes of the run "
            "concerns it no more.",
        .default_text = "false",
        .example = "detach: true"},

    // -------------------------------------------------------------------------------------------------------
    // switch
    Field{.owner = Shape::branch,
          .name = "when",
          .forms = Form::expression,
          .description = "The condition of the branch.",
          .example = "when: inputs.size > 1000"},
    Field{.owner = Shape::branch,
          .name = "goto",
          .forms = Form::name | Form::names,
          .description = "The step that the branch goes to, or a list of steps. They need the switch, "
                         "whether their `needs` say so "
                         "or not.",
          .example = "goto: split"},
    Field{.owner = Shape::branch,
          .name = "else",
          .forms = Form::name | Form::names,
          .description = "The steps to go to when no `when` is true; the last entry. Without it and without "
                         "a true `when`, all "
                         "branches are skipped.",
          .example = "else: whole"},

    // -------------------------------------------------------------------------------------------------------
    // repeat
    Field{.owner = Shape::repeat,
          .name = "until",
          .forms = Form::expression,
          .description = "The condition over `self` (`result`, `attempt`, `status`), asked after each round.",
          .example = "until: self.result.done",
          .required = true,
          .reads_self = true},
    Field{.owner = Shape::repeat,
          .name = "max",
          .forms = Form::integer,
          .description = "How many rounds at most; if the condition does not hold then, the step has failed "
                         "(`unsatisfied`).",
          .default_text = "100",
          .example = "max: 20",
          .minimum = 1,
          .maximum = 10'000},
    Field{.owner = Shape::repeat,
          .name = "delay",
          .forms = Form::duration,
          .description = "The time from the end of a round to the next one.",
          .default_text = "0s",
          .example = "delay: 10s"},

    // ---------------------------------------------------------------------------------------------------
    // retry
    Field{.owner = Shape::retry,
          .name = "preset",
          .forms = Form::word,
          .description =
              "Where the fields come from that are not given. `jobs`: 4 attempts, 1 s, 2 s, 4 s. `celery`: 4 "
              "attempts, 60 s, 120 s, 240 s. `agents`: 3 attempts, 1 s, 2 s, at most 60 s, up to 1 s on top.",
          .default_text = "jobs",
          .example = "preset: celery",
          .words = "jobs celery agents"},
    Field{.owner = Shape::retry,
          .name = "max_attempts",
          .forms = Form::integer,
          .description = "How many attempts, the first one included.",
          .default_text = "4",
          .example = "max_attempts: 5",
          .minimum = 1,
          .maximum = 1'000'000},
    Field{.owner = Shape::retry,
          .name = "max_retries",
          .forms = Form::integer,
          .description = "Another way to say `max_attempts`: how many attempts after the first one.",
          .example = "max_retries: 4",
          .minimum = 0,
          .maximum = 999'999},
    Field{
        .owner = Shape::retry,
        .name = "backoff",
        .forms = Form::word,
        .description =
            "How the delay grows: not at all; by `initial` each time; by the factor `multiplier` each time.",
        .default_text = "exponential",
        .example = "backoff: fixed",
        .words = "fixed linear exponential"},
    Field{.owner = Shape::retry,
          .name = "initial",
          .forms = Form::duration,
          .description = "The delay before the second attempt.",
          .default_text = "1s",
          .example = "initial: 500ms"},
    Field{.owner = Shape::retry,
          .name = "multiplier",
          .forms = Form::number,
          .description = "The factor of exponential backoff; counted in thousandths.",
          .default_text = "2",
          .example = "multiplier: 1.5",
          .minimum = 1,
          .maximum = 1000},
    Field{.owner = Shape::retry,
          .name = "max",
          .forms = Form::duration,
          .description = "The longest delay, before jitter.",
          .default_text = "1h",
          .example = "max: 60s"},
    Field{
        .owner = Shape::retry,
        .name = "jitter",
        .forms = Form::word | Form::object,
        .description =
            "Chance in the delay d, so that many failures do not come back together. `full`: 0 to d. "
            "`equal`: d/2 to d. `decorrelated`: `initial` to three times the last delay. `{add: T}`: d to d "
            "+ T.",
        .default_text = "none",
        .example = "jitter: full",
        .shape = Shape::jitter,
        .words = "none full equal decorrelated"},
    Field{.owner = Shape::jitter,
          .name = "add",
          .forms = Form::duration,
          .description = "At most this much on top of the delay.",
          .example = "add: 1s",
          .required = true},

    // -------------------------------------------------------------------------------------------------
    // cleanup
    Field{.owner = Shape::cleanup,
          .name = "after",
          .forms = Form::name,
          .description = "Clean up as soon as this step has ended, and not only at the end of the run. It "
                         "must be one that "
                         "needs the step with the cleanup, directly or by way of others.",
          .default_text = "the end of the run",
          .example = "after: train"},
    Field{.owner = Shape::cleanup,
          .name = "on_shutdown",
          .forms = Form::boolean,
          .description = "Also give back, with the step's resources, when the server stops under the step: "
                         "before its next "
                         "attempt. Otherwise they are kept for it.",
          .default_text = "false",
          .example = "on_shutdown: true"},

    // -------------------------------------------------------------------------------------------------
    // timeout
    Field{.owner = Shape::timeout,
          .name = "soft",
          .forms = Form::duration,
          .description = "Then the process group gets SIGTERM, so that it can clean up.",
          .default_text = "hard",
          .example = "soft: 4m"},
    Field{.owner = Shape::timeout,
          .name = "hard",
          .forms = Form::duration,
          .description = "Then the process group is killed.",
          .default_text = "soft + 10s",
          .example = "hard: 5m"},
    Field{.owner = Shape::timeout,
          .name = "start",
          .forms = Form::duration,
          .description = "The longest wait in the queue; then the task fails with the type `start_timeout`, "
                         "which is not retried "
                         "unless a rule says so. Time in which something is paused does not count.",
          .default_text = "none",
          .example = "start: 15m"},
    Field{.owner = Shape::timeout,
          .name = "heartbeat",
          .forms = Form::duration,
          .description = "The longest silence of an attempt; then it is stopped and fails with the type "
                         "`heartbeat`. `baton task progress` inside of the step is a sign of life. It is for "
                         "`run` and `exec`; requests have none.",
          .default_text = "none",
          .example = "heartbeat: 2m"},

    // -------------------------------------------------------------------------------------------------
    // rule
    Field{.owner = Shape::rule,
          .name = "match",
          .forms = Form::object,
          .description =
              "What the rule is for: all that is given must hold. Without it, it is for every error.",
          .default_text = "every error",
          .example = "match: {type: [http, connection], message: \"upstream\"}",
          .shape = Shape::match},
    Field{.owner = Shape::rule,
          .name = "do",
          .forms = Form::word,
          .description = "`retry`: as often as `retry` and `retry_budget` allow, then the fallback. `fail`: "
                         "at once, without the "
                         "fallback. `fallback`: at once. `hold`: a person decides (`baton tasks retry`, "
                         "`skip`, `complete`, "
                         "`fail`). `ignore`: the task stays failed, but it does not count, as with "
                         "`continue_on_error`. `alert`: "
                         "`fail`, and an alert.",
          .example = "do: hold",
          .words = "retry fail fallback hold ignore alert",
          .required = true},
    Field{.owner = Shape::rule,
          .name = "delay",
          .forms = Form::duration,
          .description = "With `do: retry`: how long to wait, instead of the delay that `retry` gives.",
          .example = "delay: 10m"},
    Field{
        .owner = Shape::rule,
        .name = "alert",
        .forms = Form::word,
        .description = "Raises an alert of this severity (event `alert.raised`) each time the rule matches.",
        .default_text = "none; warning with do: alert",
        .example = "alert: critical",
        .words = "info warning critical"},

    // -------------------------------------------------------------------------------------------------
    // match
    Field{.owner = Shape::match,
          .name = "type",
          .forms = Form::text | Form::texts,
          .description = "Types of errors, Baton's or a handler's own. `lost` and `interrupted` attempts "
                         "match only rules that "
                         "name them here; otherwise they are started again without using up an attempt.",
          .example = "type: [timeout, connection]",
          .minimum = 1},
    Field{.owner = Shape::match,
          .name = "status",
          .forms = Form::statuses,
          .description = "Statuses of HTTP responses.",
          .example = "status: [429, 5xx]"},
    Field{.owner = Shape::match,
          .name = "exit",
          .forms = Form::integer | Form::integers,
          .description = "Exit codes of processes.",
          .example = "exit: [2, 3]",
          .minimum = 0,
          .maximum = 255},
    Field{.owner = Shape::match,
          .name = "message",
          .forms = Form::prose,
          .description = "A regular expression (RE2), searched anywhere in the message.",
          .example = "message: \"quota|rate limit\""},
    // ---------------------------------------------------------------------------------------------------------
    // targets
    Field{.owner = Shape::target,
          .name = "url",
          .forms = Form::url,
          .description = "Where the service is. `http.url` of its steps may begin with `/` and continues it. "
                         "Expressions here "
                         "may read `inputs`, `run` and `env`.",
          .example = "url: \"http://nlp:8001\""},
    Field{.owner = Shape::target,
          .name = "health",
          .forms = Form::url,
          .description =
              "Where it says that it is well: a GET that is answered with 2xx within 5 s. A path "
              "continues its `url`. Asked by steps with `preflight: true`, and by `baton preflight`.",
          .example = "health: /health"},
    Field{.owner = Shape::target,
          .name = "breaker",
          .forms = Form::object,
          .description =
              "The circuit breaker of all its steps; it has the target's name unless it says otherwise.",
          .example = "breaker: {failures: 3, recovery: 2m}",
          .shape = Shape::breaker},
    Field{.owner = Shape::target,
          .name = "retry",
          .forms = Form::object,
          .description = "The retry policy of its steps that have none.",
          .example = "retry: {max_attempts: 3, initial: 1s, max: 30s}",
          .shape = Shape::retry},
    Field{.owner = Shape::target,
          .name = "timeout",
          .forms = Form::duration | Form::object,
          .description = "The time limit for one attempt of its steps that have none.",
          .example = "timeout: 30s",
          .shape = Shape::timeout},
    Field{.owner = Shape::target,
          .name = "operations",
          .forms = Form::named,
          .description = "What it can do, by name, where that differs: a step says which by `operation`.",
          .example = "operations: {analyze: {timeout: 2m}}",
          .shape = Shape::operation},
    Field{.owner = Shape::operation,
          .name = "retry",
          .forms = Form::object,
          .description = "The retry policy of steps with this operation.",
          .example = "retry: {max_attempts: 2}",
          .shape = Shape::retry},
    Field{.owner = Shape::operation,
          .name = "timeout",
          .forms = Form::duration | Form::object,
          .description = "The time limit for one attempt of steps with this operation.",
          .example = "timeout: 2m",
          .shape = Shape::timeout},

    // ---------------------------------------------------------------------------------------------------------
    // breaker
    Field{.owner = Shape::breaker,
          .name = "name",
          .forms = Form::name,
          .description = "Its name. Of a target's breaker it is the target's if it is not given.",
          .example = "name: nlp"},
    Field{.owner = Shape::breaker,
          .name = "failures",
          .forms = Form::integer,
          .description =
              "So many failures in a row open it; 0: no number does. Failures are timeouts, lost "
              "connections, HTTP "
              "429 and 5xx, and `types`. A success starts the count anew; other errors count as nothing.",
          .default_text = "5, or 0 with `rate`",
          .example = "failures: 3",
          .minimum = 0,
          .maximum = 1'000'000},
    Field{.owner = Shape::breaker,
          .name = "rate",
          .forms = Form::integer,
          .description = "So many percent of failures within `window` open it, once there were `min_calls`.",
          .default_text = "none",
          .example = "rate: 50",
          .minimum = 1,
          .maximum = 100},
    Field{.owner = Shape::breaker,
          .name = "min_calls",
          .forms = Form::integer,
          .description = "How many attempts must have ended within `window` before `rate` counts.",
          .default_text = "20",
          .example = "min_calls: 10",
          .minimum = 1,
          .maximum = 1'000'000},
    Field{.owner = Shape::breaker,
          .name = "window",
          .forms = Form::duration,
          .description = "How far `rate` looks back.",
          .default_text = "60s",
          .example = "window: 5m"},
    Field{.owner = Shape::breaker,
          .name = "recovery",
          .forms = Form::duration,
          .description = "How long it stays open; then it lets probes through.",
          .default_text = "60s",
          .example = "recovery: 2m"},
    Field{.owner = Shape::breaker,
          .name = "probes",
          .forms = Form::integer,
          .description =
              "How many attempts at a time it lets through while it tries whether the service is back.",
          .default_text = "1",
          .example = "probes: 2",
          .minimum = 1,
          .maximum = 1000},
    Field{.owner = Shape::breaker,
          .name = "successes",
          .forms = Form::integer,
          .description = "So many successful probes in a row close it; a failure opens it again.",
          .default_text = "1",
          .example = "successes: 3",
          .minimum = 1,
          .maximum = 1000},
    Field{.owner = Shape::breaker,
          .name = "types",
          .forms = Form::texts,
          .description = "Error types that count as failures beside the usual ones.",
          .example = "types: [overloaded]",
          .minimum = 1},

    // ---------------------------------------------------------------------------------------------------------
    // cache
    Field{.owner = Shape::cache,
          .name = "key",
          .forms = Form::value,
          .description =
              "What the result depends on. A key that comes to null means: do the work, and keep nothing.",
          .default_text = "all values that the step gets",
          .example = "key: [\"${{ inputs.day }}\", \"${{ item }}\"]"},
    Field{.owner = Shape::cache,
          .name = "ttl",
          .forms = Form::duration,
          .description = "How long a result counts, from when it was made.",
          .default_text = "24h",
          .example = "ttl: 7d"},

    // ---------------------------------------------------------------------------------------------------------
    // concurrency, rate_limit
    Field{.owner = Shape::concurrency,
          .name = "key",
          .forms = Form::templated,
          .description = "The limit's name. Steps and runs that give the same one share it, also those of "
                         "other workflows.",
          .default_text = "WORKFLOW.STEP, of runs WORKFLOW",
          .example = "key: deploy-${{ inputs.cluster }}"},
    Field{.owner = Shape::concurrency,
          .name = "limit",
          .forms = Form::integer,
          .description = "How many attempts at a time, as long as nobody has set the limit by command.",
          .default_text = "1",
          .example = "limit: 4",
          .minimum = 1,
          .maximum = 1'000'000},
    Field{.owner = Shape::rate_limit,
          .name = "limit",
          .forms = Form::integer,
          .description = "How many attempts may start in a span of `per`; they are spread evenly over it.",
          .example = "limit: 100",
          .minimum = 1,
          .maximum = 1'000'000,
          .required = true},
    Field{.owner = Shape::rate_limit,
          .name = "per",
          .forms = Form::duration,
          .description = "The span of time.",
          .default_text = "1s",
          .example = "per: 1m"},
    Field{.owner = Shape::rate_limit,
          .name = "burst",
          .forms = Form::integer,
          .description = "How many may start at once after a time without starts.",
          .default_text = "1",
          .example = "burst: 10",
          .minimum = 1,
          .maximum = 1'000'000},
    Field{.owner = Shape::rate_limit,
          .name = "key",
          .forms = Form::templated,
          .description =
              "The rate's name. Steps that give the same one share it, also those of other workflows.",
          .default_text = "WORKFLOW.STEP",
          .example = "key: maps-api"},

    // ----------------------------------------------------------------------------------------------------
    // http
    Field{.owner = Shape::http,
          .name = "method",
          .forms = Form::word,
          .description = "The request's method.",
          .default_text = "GET; POST if there is a body",
          .example = "method: PUT",
          .words = "GET HEAD POST PUT PATCH DELETE OPTIONS"},
    Field{.owner = Shape::http,
          .name = "url",
          .forms = Form::url,
          .description = "Where the request goes: http or https, without user and password; with a `target`, "
                         "a path that begins "
                         "with `/` and continues the target's URL. Values that may hold any character belong "
                         "into `query`, where "
                         "they are encoded.",
          .example = "url: \"https://api.example.org/v1/jobs/${{ steps.submit.result.body.id }}\"",
          .required = true,
          .takes_secrets = true},
    Field{.owner = Shape::http,
          .name = "query",
          .forms = Form::parameters,
          .description =
              "Parameters that are added to the URL, percent-encoded. A list gives one parameter for each of "
              "its values; null leaves the parameter out.",
          .example = "query: {q: \"${{ inputs.text }}\", tag: [a, b]}",
          .takes_secrets = true},
    Field{.owner = Shape::http,
          .name = "headers",
          .forms = Form::headers,
          .description =
              "Header fields. Without fields of these names the request has `Accept`, `User-Agent`, a "
              "`Content-Type` that fits the body, and, unless it is a GET, HEAD or OPTIONS, an "
              "`Idempotency-Key`: the task's id, the same for every attempt.",
          .example = "headers: {Accept-Language: de}",
          .takes_secrets = true},
    Field{.owner = Shape::http,
          .name = "json",
          .forms = Form::value,
          .description = "The body, written as JSON.",
          .example = "json: {query: \"${{ inputs.text }}\"}",
          .takes_secrets = true},
    Field{.owner = Shape::http,
          .name = "form",
          .forms = Form::parameters,
          .description = "The body, written as a form (`application/x-www-form-urlencoded`).",
          .example = "form: {grant_type: client_credentials}",
          .takes_secrets = true},
    Field{.owner = Shape::http,
          .name = "body",
          .forms = Form::templated,
          .description = "The body as text; `Content-Type` is `text/plain` unless `headers` says otherwise.",
          .example = "body: \"${{ steps.report.result.stdout }}\"",
          .takes_secrets = true},
    Field{.owner = Shape::http,
          .name = "expect",
          .forms = Form::statuses,
          .description =
              "The statuses that count as success: numbers, or classes like 2xx. Any other fails the attempt "
              "with the type `http`.",
          .default_text = "2xx",
          .example = "expect: [2xx, 404]"},
    Field{.owner = Shape::http,
          .name = "follow",
          .forms = Form::boolean | Form::integer,
          .description =
              "How many redirects are followed; `true` stands for 10, `false` for none. A 303, and a 301 or "
              "302 to a POST, goes on as GET. To another origin only a few harmless headers are sent along. "
              "From https to http none is followed.",
          .default_text = "10",
          .example = "follow: false",
          .minimum = 0,
          .maximum = 50},
    Field{.owner = Shape::http,
          .name = "connect_timeout",
          .forms = Form::duration,
          .description = "The time limit for finding the host, connecting and agreeing on TLS.",
          .default_text = "10s",
          .example = "connect_timeout: 2s"},
    Field{.owner = Shape::http,
          .name = "tls",
          .forms = Form::object,
          .description = "How the server's certificate is checked, when the URL is https.",
          .example = "tls: {ca: ./company-ca.pem}",
          .shape = Shape::tls},
    Field{.owner = Shape::tls,
          .name = "verify",
          .forms = Form::boolean,
          .description = "`false`: any certificate is taken, from anybody. For tests only.",
          .default_text = "true",
          .example = "verify: false"},
    Field{.owner = Shape::tls,
          .name = "ca",
          .forms = Form::templated,
          .description =
              "A PEM file with the certificates to trust instead of the system's; relative to the run's "
              "directory.",
          .example = "ca: ./company-ca.pem"},

    // -------------------------------------------------------------------------------------------------
    // celery
    Field{.owner = Shape::celery,
          .name = "task",
          .forms = Form::text,
          .description = "The name that the task is registered by.",
          .example = "task: images.label",
          .required = true},
    Field{.owner = Shape::celery,
          .name = "args",
          .forms = Form::list,
          .description = "Positional arguments.",
          .default_text = "[]",
          .example = "args: [\"${{ item }}\", 3]"},
    Field{.owner = Shape::celery,
          .name = "kwargs",
          .forms = Form::values,
          .description = "Arguments by name.",
          .default_text = "{}",
          .example = "kwargs: {language: \"${{ inputs.language }}\"}"},
    Field{.owner = Shape::celery,
          .name = "queue",
          .forms = Form::text,
          .description = "The broker's queue (the step's own `queue` is Baton's).",
          .default_text = "celery",
          .example = "queue: gpu"},

    // -------------------------------------------------------------------------------------------------
    // alerts
    Field{.owner = Shape::alerts,
          .name = "on",
          .forms = Form::word_list,
          .description = "What is told: how a run ended, a missed `sla`, a task that waits for a person, a "
                         "new dead letter, a "
                         "resource that could not be given back.",
          .example = "on: [failed, sla_missed]",
          .words = "completed failed cancelled sla_missed held dead_letter leaked",
          .required = true},
    Field{.owner = Shape::alerts,
          .name = "to",
          .forms = Form::texts,
          .description = "The receivers, by the names that they have in the configuration.",
          .example = "to: [ops]",
          .minimum = 1,
          .required = true},
    Field{.owner = Shape::alerts,
          .name = "severity",
          .forms = Form::word,
          .description = "How urgent the alert is.",
          .default_text = "error",
          .example = "severity: critical",
          .words = "info warning error critical"},

    // -------------------------------------------------------------------------------------------------
    // schedule
    Field{.owner = Shape::schedule,
          .name = "name",
          .forms = Form::name,
          .description = "The schedule's name, unique in the workflow.",
          .default_text = "its number",
          .example = "name: nightly"},
    Field{.owner = Shape::schedule,
          .name = "cron",
          .forms = Form::cron,
          .description =
              "Five fields: minute, hour, day of month, month, day of week; or six with the second first. "
              "Names, "
              "ranges, steps, `L`, `W`, `#`, `H`, and @hourly, @daily, @weekly, @monthly, @yearly.",
          .example = "cron: \"30 4 * * mon-fri\""},
    Field{.owner = Shape::schedule,
          .name = "every",
          .forms = Form::duration,
          .description = "An interval, at least 1s.",
          .example = "every: 15m"},
    Field{.owner = Shape::schedule,
          .name = "at",
          .forms = Form::instant,
          .description = "Once, at this instant (RFC 3339).",
          .example = "at: \"2027-01-01T06:00:00Z\""},
    Field{.owner = Shape::schedule,
          .name = "timezone",
          .forms = Form::zone,
          .description = "The IANA time zone whose clock `cron` means.",
          .default_text = "UTC",
          .example = "timezone: Europe/Berlin"},
    Field{.owner = Shape::schedule,
          .name = "overlap",
          .forms = Form::word,
          .description = "What to do when the run before is not over yet.",
          .default_text = "skip",
          .example = "overlap: queue",
          .words = "allow skip queue cancel_previous"},
    Field{.owner = Shape::schedule,
          .name = "catchup",
          .forms = Form::word,
          .description = "Which of the times that were missed, because nothing ran then, are made up for.",
          .default_text = "last",
          .example = "catchup: all",
          .words = "none last all"},
    Field{.owner = Shape::schedule,
          .name = "catchup_window",
          .forms = Form::duration,
          .description = "Times that were missed longer ago than this are not made up for.",
          .default_text = "no limit",
          .example = "catchup_window: 1d"},
    Field{.owner = Shape::schedule,
          .name = "jitter",
          .forms = Form::duration,
          .description = "Each run starts up to so much later, by chance.",
          .default_text = "0s",
          .example = "jitter: 5m"},
    Field{.owner = Shape::schedule,
          .name = "input",
          .forms = Form::map,
          .description = "What the runs are started with: values for the workflow's `inputs`.",
          .default_text = "{}",
          .example = "input: {limit: 5000}"},
    Field{.owner = Shape::schedule,
          .name = "priority",
          .forms = Form::integer,
          .description = "The priority of the runs: 0 to 9, 9 is most urgent.",
          .default_text = "the workflow's",
          .example = "priority: 3",
          .minimum = 0,
          .maximum = 9},
    Field{.owner = Shape::schedule,
          .name = "paused",
          .forms = Form::boolean,
          .description = "Starts no runs until it is resumed.",
          .default_text = "false",
          .example = "paused: true"},

    // -------------------------------------------------------------------------------------------------
    // rollout
    Field{.owner = Shape::rollout,
          .name = "percent",
          .forms = Form::number,
          .description = "How many of a hundred new runs take this version; the others keep the one before.",
          .example = "percent: 10",
          .minimum = 0,
          .maximum = 100,
          .required = true},
    Field{.owner = Shape::rollout,
          .name = "rollback",
          .forms = Form::object,
          .description = "When new runs go back to the version before, all of them and by themselves.",
          .example = "rollback: {failure_rate: 5, min_runs: 20}",
          .shape = Shape::rollback},
    Field{.owner = Shape::rollback,
          .name = "failure_rate",
          .forms = Form::number,
          .description = "More than so many of a hundred runs failed.",
          .example = "failure_rate: 5",
          .minimum = 0,
          .maximum = 100},
    Field{.owner = Shape::rollback,
          .name = "duration",
          .forms = Form::duration,
          .description = "The runs take longer than this on average.",
          .example = "duration: 10m"},
    Field{.owner = Shape::rollback,
          .name = "min_runs",
          .forms = Form::integer,
          .description = "Judged only after so many runs of this version.",
          .default_text = "10",
          .example = "min_runs: 20",
          .minimum = 1,
          .maximum = 1'000'000},
    Field{.owner = Shape::rollback,
          .name = "window",
          .forms = Form::duration,
          .description = "Runs that ended longer ago are not counted.",
          .default_text = "1h",
          .example = "window: 30m"},
    Field{.owner = Shape::recovery,
          .name = "auto",
          .forms = Form::boolean,
          .description =
              "A run that failed is recovered by itself; it is `recovering` in between, not `failed`.",
          .default_text = "false",
          .example = "auto: true"},
    Field{
        .owner = Shape::recovery,
        .name = "max_attempts",
        .forms = Form::integer,
        .description = "How many times; the same as `max_recovery_attempts`, which counts if both are given.",
        .default_text = "3",
        .example = "max_attempts: 2",
        .minimum = 0,
        .maximum = 1'000'000},
    Field{.owner = Shape::recovery,
          .name = "delay",
          .forms = Form::duration,
          .description = "How long after its end.",
          .default_text = "1m",
          .example = "delay: 5m"},
    Field{.owner = Shape::retention,
          .name = "completed",
          .forms = Form::duration | Form::word,
          .description = "Of runs that are completed or cancelled.",
          .default_text = "as the owner is set: 30d",
          .example = "completed: 7d",
          .words = "forever"},
    Field{.owner = Shape::retention,
          .name = "failed",
          .forms = Form::duration | Form::word,
          .description = "Of runs that have failed.",
          .default_text = "as the owner is set: 90d",
          .example = "failed: 30d",
          .words = "forever"},
};

constexpr std::array kShapes = {
    ShapeInfo{Shape::workflow, "workflow", "The workflow"},
    ShapeInfo{Shape::defaults, "defaults", "`defaults`"},
    ShapeInfo{Shape::step, "step", "A step"},
    ShapeInfo{Shape::action, "action", "An action of a step"},
    ShapeInfo{Shape::wait, "wait", "`wait`"},
    ShapeInfo{Shape::child, "child", "`workflow` of a step"},
    ShapeInfo{Shape::branch, "branch", "A branch of `switch`"},
    ShapeInfo{Shape::repeat, "repeat", "`repeat`"},
    ShapeInfo{Shape::cleanup, "cleanup", "`cleanup`"},
    ShapeInfo{Shape::retry, "retry", "`retry`"},
    ShapeInfo{Shape::jitter, "jitter", "`retry.jitter`"},
    ShapeInfo{Shape::timeout, "timeout", "`timeout`"},
    ShapeInfo{Shape::rule, "rule", "One of `on_error`"},
    ShapeInfo{Shape::match, "match", "`on_error.match`"},
    ShapeInfo{Shape::http, "http", "`http`"},
    ShapeInfo{Shape::tls, "tls", "`http.tls`"},
    ShapeInfo{Shape::celery, "celery", "`celery`"},
    ShapeInfo{Shape::alerts, "alerts", "`alerts`"},
    ShapeInfo{Shape::schedule, "schedule", "One of `schedules`"},
    ShapeInfo{Shape::rollout, "rollout", "`rollout`"},
    ShapeInfo{Shape::rollback, "rollback", "`rollout.rollback`"},
    ShapeInfo{Shape::recovery, "recovery", "`recovery`"},
    ShapeInfo{Shape::retention, "retention", "`retention`"},
    ShapeInfo{Shape::target, "target", "One of `targets`"},
    ShapeInfo{Shape::operation, "operation", "One of a target's `operations`"},
    ShapeInfo{Shape::breaker, "breaker", "`breaker`"},
    ShapeInfo{Shape::concurrency, "concurrency", "`concurrency`"},
    ShapeInfo{Shape::rate_limit, "rate_limit", "`rate_limit`"},
    ShapeInfo{Shape::cache, "cache", "`cache`"},
};
static_assert(kShapes.size() == static_cast<std::size_t>(Shape::none));

constexpr bool belongs_to(const Field& field, Shape shape) {
  if (shape == Shape::cleanup && field.also == Shape::action) return true;
  return field.owner == shape || (shape != Shape::none && field.also == shape);
}

// A constant index over the constant table.
struct Index {
  std::array<std::unordered_map<std::string_view, const Field*>, kShapes.size()> fields;
  Index() {
    for (const Field& field : kFields) {
      for (std::size_t shape = 0; shape < kShapes.size(); ++shape) {
        if (belongs_to(field, static_cast<Shape>(shape))) fields[shape].emplace(field.name, &field);
      }
    }
  }
};

// Whether a name or a number stands between the field and those of its shape.
bool has_names(const Field& field) {
  return field.forms.has(Form::steps) || field.forms.has(Form::objects) || field.forms.has(Form::named);
}

void collect(Shape shape, const std::string& prefix, std::vector<FieldPath>& out) {
  for (const Field& field : kFields) {
    if (!belongs_to(field, shape) || (shape == Shape::cleanup && field.owner != shape)) continue;
    const std::string path = prefix + std::string(field.name);
    out.push_back({path, &field});
    if (field.shape == Shape::none) continue;
    // `finally`, actions and `defaults` have the shapes of `steps`.
    if (field.name == "finally" || field.shape == Shape::action ||
        (shape == Shape::defaults && field.shape != Shape::none))
      continue;
    collect(field.shape, path + (has_names(field) ? ".*." : "."), out);
  }
}

}  // namespace

std::span<const Field> all_fields() {
  return kFields;
}

std::span<const ShapeInfo> all_shapes() {
  return kShapes;
}

std::vector<const Field*> fields_of(Shape shape) {
  std::vector<const Field*> fields;
  for (const Field& field : kFields) {
    if (belongs_to(field, shape)) fields.push_back(&field);
  }
  return fields;
}

const Field* find_field(Shape shape, std::string_view name) {
  static const Index index;
  if (shape == Shape::none) return nullptr;
  const auto& fields = index.fields[static_cast<std::size_t>(shape)];
  const auto found = fields.find(name);
  return found == fields.end() ? nullptr : found->second;
}

std::string_view title(Shape shape) {
  for (const ShapeInfo& info : kShapes) {
    if (info.shape == shape) return info.title;
  }
  return "";
}

std::vector<std::string_view> split_words(std::string_view words) {
  std::vector<std::string_view> split;
  while (!words.empty()) {
    const std::size_t space = std::min(words.find(' '), words.size());
    split.push_back(words.substr(0, space));
    words.remove_prefix(std::min(words.size(), space + 1));
  }
  return split;
}

std::string describe(const Field& field) {
  struct Row {
    Form form;
    std::string_view text;
  };
  constexpr std::array kRows = {
      Row{Form::text, "a string"},
      Row{Form::prose, "a string"},
      Row{Form::script, "a string (a shell script)"},
      Row{Form::name, "a name"},
      Row{Form::boolean, "true or false"},
      Row{Form::integer, "an integer"},
      Row{Form::number, "a number"},
      Row{Form::duration, "a duration (like 90s, 5m or 1h30m)"},
      Row{Form::expression, "an expression (a string)"},
      Row{Form::templated, "a string (`${{ }}` allowed)"},
      Row{Form::value, "any value (`${{ }}` allowed)"},
      Row{Form::arguments, "a list of strings (`${{ }}` allowed)"},
      Row{Form::words_list, "a list of strings"},
      Row{Form::texts, "a list of strings"},
      Row{Form::names, "a list of step names"},
      Row{Form::items, "a list, a map or one `${{ }}`"},
      Row{Form::labels, "a map of strings"},
      Row{Form::environment, "a map of variables to strings (`${{ }}` allowed)"},
      Row{Form::values, "a map of values (`${{ }}` allowed)"},
      Row{Form::inputs, "a map of names to schemas"},
      Row{Form::steps, "a map of names to steps"},
      Row{Form::named, "a map of names to maps"},
      Row{Form::cron, "a cron expression"},
      Row{Form::zone, "an IANA time zone (like Europe/Berlin)"},
      Row{Form::instant, "an instant (like 2027-01-01T06:00:00Z)"},
      Row{Form::list, "a list (`${{ }}` allowed)"},
      Row{Form::map, "a map of values"},
      Row{Form::any, "any value"},
      Row{Form::url, "an http or https URL (`${{ }}` allowed)"},
      Row{Form::headers, "a map of header fields to strings (`${{ }}` allowed)"},
      Row{Form::parameters, "a map of parameters to strings or lists of them (`${{ }}` allowed)"},
      Row{Form::statuses, "an HTTP status, a class like 2xx, or a list of these"},
      Row{Form::schema, "a JSON Schema"},
      Row{Form::integers, "a list of them"},
      Row{Form::percent, "a percentage (like 5%)"},
      Row{Form::amounts, "a map of names to numbers"},
  };
  std::string out;
  const auto add = [&](std::string_view text) {
    if (!out.empty()) out += " or ";
    out += text;
  };
  if (field.forms.has(Form::word) || field.forms.has(Form::word_list)) {
    std::string words;
    for (const std::string_view w : split_words(field.words)) {
      if (!words.empty()) words += ", ";
      words += "`" + std::string(w) + "`";
    }
    if (field.forms.has(Form::word_list)) {
      add("a list of " + words);
    } else {
      add(field.words.find(' ') == std::string_view::npos ? words : "one of " + words);
    }
  }
  for (const Row& row : kRows) {
    if (!field.forms.has(row.form)) continue;
    add(row.text);
    if (row.form == Form::integer && field.maximum < kMaxCount) {
      out += " from " + std::to_string(static_cast<std::int64_t>(field.minimum)) + " to " +
             std::to_string(static_cast<std::int64_t>(field.maximum));
    } else if (row.form == Form::integer && field.minimum > 0) {
      out += " from " + std::to_string(static_cast<std::int64_t>(field.minimum));
    } else if (row.form == Form::number) {
      out += " from " + std::to_string(static_cast<std::int64_t>(field.minimum)) + " to " +
             std::to_string(static_cast<std::int64_t>(field.maximum));
    }
  }
  if (field.forms.has(Form::object) || field.forms.has(Form::objects)) {
    std::string names;
    for (const Field* f : fields_of(field.shape)) {
      if (f->status == Status::later) continue;
      if (!names.empty()) names += ", ";
      names += f->name;
    }
    add((field.forms.has(Form::object) ? "a map with the fields " : "a list of maps with the fields ") +
        names);
    if (field.forms.has(Form::object) && field.forms.has(Form::objects)) out += ", or a list of such maps";
  }
  return out;
}

std::vector<FieldPath> all_paths() {
  std::vector<FieldPath> paths;
  collect(Shape::workflow, "", paths);
  return paths;
}

const Field* field_at(std::string_view path) {
  Shape shape = Shape::workflow;
  const Field* field = nullptr;
  bool step_name = false;  // the next part may be a step's name or *
  while (!path.empty()) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    const std::string_view part = path.substr(0, dot);
    path.remove_prefix(std::min(path.size(), dot + 1));
    const Field* next = find_field(shape, part);
    if (step_name && (next == nullptr || part == "*")) {
      step_name = false;
      if (path.empty()) return nullptr;
      continue;
    }
    if (next == nullptr) return nullptr;
    field = next;
    shape = field->shape;
    step_name = has_names(*field);
  }
  return field;
}

}  // namespace baton::spec
