#include "api/test_support.hpp"

#include <stdlib.h>

#include <boost/json/parse.hpp>

#include "logs/paths.hpp"
#include "logs/writer.hpp"

namespace baton::api::test {

void FakeRuntime::send(model::CommandBody body, model::Sender sender, ReplyHandler on_reply) {
  model::ReplyBody reply = answer ? answer(body) : model::ReplyBody(model::Done{});
  {
    const std::lock_guard lock(mutex_);
    const bool kept = keeps && keeps(body);
    commands.emplace_back(std::move(body), std::move(sender.name));
    if (kept) return kept_.push_back(std::move(on_reply));
  }
  on_reply(std::move(reply));
}

void FakeRuntime::answer_kept(const model::ReplyBody& reply) {
  std::vector<ReplyHandler> kept;
  {
    const std::lock_guard lock(mutex_);
    kept.swap(kept_);
  }
  for (const ReplyHandler& on_reply : kept) on_reply(reply);
}

std::uint64_t FakeRuntime::subscribe(std::function<void(const std::vector<RunKey>&)> listener) {
  const std::lock_guard lock(mutex_);
  listeners_[++last_] = std::move(listener);
  return last_;
}

void FakeRuntime::unsubscribe(std::uint64_t subscription) {
  const std::lock_guard lock(mutex_);
  listeners_.erase(subscription);
}

void FakeRuntime::changed(RunKey run) {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, listener] : listeners_) listener({run});
}

std::size_t FakeRuntime::listeners() {
  const std::lock_guard lock(mutex_);
  return listeners_.size();
}

ApiTest::ApiTest() {
  std::string pattern = (std::filesystem::temp_directory_path() / "baton-api-XXXXXX").string();
  directory_ = ::mkdtemp(pattern.data());
  meta_ = *writer_.open_shard(ShardId{0});
  vault_.emplace(secrets::VaultOptions{
      .key_file = directory_ + "/secrets.key", .read = [this]() -> Result<std::vector<model::SecretRow>> {
        TRY(const auto records,
            reader_.list_records({.kind = model::RecordKind::secret}, std::nullopt, model::kMaxSecrets));
        std::vector<model::SecretRow> rows;
        for (const model::Record& record : records) rows.push_back(model::secret_of(record).value());
        return rows;
      }});
  const auto metrics = [this] { return meter_.samples(); };
  api_ = std::make_unique<Api>(Services{.loop = loop_,
                                        .logs_dir = directory_ + "/logs",
                                        .data_dir = directory_,
                                        .version = "1.2.3",
                                        .meter = &meter_,
                                        .metrics = metrics},
                               Space{.name = "default",
                                     .runs = runtime_,
                                     .store = reader_,
                                     .metrics = metrics,
                                     .vault = &*vault_,
                                     .own_worker = [this] { return own_worker_; }});
  server_ = std::make_unique<net::HttpServer>(loop_, net::ServerOptions{},
                                              [this](net::Request request, net::Responder responder) {
                                                api_->handle(std::move(request), std::move(responder));
                                              });
  EXPECT_TRUE(server_->listen_unix(endpoint().path));
  remote_ = std::make_unique<net::HttpServer>(loop_, net::ServerOptions{},
                                              [this](net::Request request, net::Responder responder) {
                                                api_->handle(std::move(request), std::move(responder));
                                              });
  port_ = remote_->listen_tcp("127.0.0.1", 0).value_or(0);
  loop_.start();
}

void ApiTest::add_namespace(const std::string& name) {
  api_->add({.name = name, .runs = other_runtime_, .store = other_reader_});
}

ApiTest::~ApiTest() {
  remote_.reset();
  server_.reset();
  api_.reset();
  EXPECT_EQ(runtime_.listeners(), 0U);
  EXPECT_EQ(other_runtime_.listeners(), 0U);
  loop_.stop();
  loop_.join();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

net::Endpoint ApiTest::remote_endpoint() const {
  net::Endpoint endpoint;
  endpoint.host = "127.0.0.1";
  endpoint.port = port_;
  return endpoint;
}

net::Response ApiTest::remote(const net::ClientRequest& request) {
  net::HttpClient client(remote_endpoint());
  const auto response = client.request(request, kPatience);
  EXPECT_TRUE(response) << response.error().message;
  return response.value_or(net::Response{.status = 0});
}

net::Endpoint ApiTest::endpoint() const {
  net::Endpoint endpoint;
  endpoint.unix_socket = true;
  endpoint.path = directory_ + "/sock";
  return endpoint;
}

void ApiTest::commit(model::Batch batch) {
  batch.incarnation = meta_.incarnation;
  batch.sequence = ++meta_.sequence;
  batch.last_run = meta_.last_run;
  std::vector<RunKey> touched;
  for (const auto& change : batch.runs) touched.push_back(change.row.key);
  for (const auto& change : batch.tasks) touched.push_back(change.row.key.run);
  writer_.begin_commit(std::move(batch), [](const store::CommitDone& done) {
    EXPECT_EQ(done.result, store::CommitResult::committed) << done.error.message;
  });
  for (const RunKey run : touched) runtime_.changed(run);
}

model::RunRow ApiTest::new_run(const std::string& definition, std::string input, std::string context,
                               std::string job_id) {
  const spec::ParseResult parsed = spec::parse_workflow(definition, {.file_name = "test.yaml"});
  if (!parsed.workflow) {
    ADD_FAILURE() << spec::render(parsed.diagnostics);
    return {};
  }
  const model::Workflow& workflow = *parsed.workflow;
  model::Batch batch;
  model::RunRow row;
  row.key = RunKey::make(ShardId{0}, ++meta_.last_run);
  row.id = RunId::make(row.key, kThen, Seed{1, 2});
  row.workflow = workflow.name;
  row.job_id = std::move(job_id);
  row.definition = workflow.hash;
  row.created_at = kThen;
  row.counts.total = static_cast<std::uint32_t>(workflow.steps.size());
  row.next_ordinal = row.counts.total;
  if (!defined_[workflow.hash]) {
    defined_[workflow.hash] = true;
    batch.definitions.push_back(
        {workflow.name, 1, workflow.hash, std::make_shared<const std::string>(workflow.canonical), kThen});
  }
  batch.runs.push_back({row, true, std::make_shared<const std::string>(std::move(input)),
                        std::make_shared<const std::string>(std::move(context))});
  commit(std::move(batch));
  return row;
}

void ApiTest::update(const model::RunRow& row) {
  model::Batch batch;
  batch.runs.push_back({row, false, {}, {}});
  commit(std::move(batch));
}

model::TaskRow ApiTest::task(const model::RunRow& run, Ordinal ordinal, std::uint32_t step,
                             std::int32_t index) const {
  model::TaskRow row;
  row.key = {run.key, ordinal};
  row.step = step;
  row.index = index;
  return row;
}

void ApiTest::put(const model::TaskRow& row, std::optional<std::string> result) {
  model::Batch batch;
  model::TaskChange change{row, !stored_tasks_[row.key], {}, {}};
  stored_tasks_[row.key] = true;
  if (result) {
    change.row.has_result = true;
    change.result = std::make_shared<const std::string>(std::move(*result));
  }
  batch.tasks.push_back(std::move(change));
  commit(std::move(batch));
}

void ApiTest::add_facts(const model::RunRow& row, std::vector<model::Fact> facts) {
  model::Batch batch;
  model::RunRow next = row;
  // The chain of the run's entries hangs on its head.
  const auto view = reader_.get_run(row.id);
  next.journal_head = meta_.sequence + 1;
  batch.facts.push_back({row.key, (*view)->row.journal_head, "report", "worker:local", std::move(facts)});
  batch.runs.push_back({next, false, {}, {}});
  commit(std::move(batch));
}

void ApiTest::write_log(const model::RunRow& run, Ordinal task, std::uint32_t attempt,
                        const std::vector<std::string>& lines) {
  logs::Writer writer(directory_ + "/logs/" + logs::attempt_path({run.id, task}, attempt));
  for (const std::string& line : lines) writer.write(logs::Stream::out, line + "\n", kThen);
  writer.flush(kThen);
}

net::Response ApiTest::call(net::ClientRequest request) {
  net::HttpClient client(endpoint());
  auto response = client.request(request, kPatience);
  if (response) return std::move(*response);
  ADD_FAILURE() << response.error().message;
  return {};
}

net::Response ApiTest::get(const std::string& target, net::Headers headers) {
  return call({net::Method::get, target, std::move(headers), "", false});
}

net::Response ApiTest::post(const std::string& target, const std::string& body, net::Headers headers) {
  if (!headers.find("Content-Type")) headers.set("Content-Type", "application/json");
  return call({net::Method::post, target, std::move(headers), body, false});
}

boost::json::object ApiTest::object(const net::Response& response) {
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(response.body, error);
  if (!error && value.is_object()) return value.get_object();
  ADD_FAILURE() << "not a JSON object: " << response.body;
  return {};
}

std::string ApiTest::code(const net::Response& response) {
  EXPECT_EQ(response.headers.find("Content-Type"), "application/problem+json");
  const auto problem = object(response);
  EXPECT_EQ(problem.at("status").as_int64(), response.status);
  return std::string(problem.at("code").as_string());
}

std::string ApiTest::detail(const net::Response& response) {
  return std::string(object(response).at("detail").as_string());
}

}  // namespace baton::api::test
