#include <atomic>
#include <boost/json/serialize.hpp>
#include <thread>

#include "api/test_support.hpp"

namespace baton::api {
namespace {

namespace json = boost::json;

constexpr const char* kDefinition = R"(
name: greet
inputs:
  who: {type: string}
  times: {type: integer, default: 2}
steps:
  hello: {exec: [echo, "${{ inputs.who }}", "${{ env.HOME }}"]}
)";

class SubmitTest : public test::ApiTest {
 protected:
  SubmitTest() {
    // Stores the run and says so, as the engine does.
    runtime_.answer = [this](const model::CommandBody& body) -> model::ReplyBody {
      const auto& submit = std::get<model::SubmitRun>(body);
      return model::Submitted{new_run(kDefinition, submit.input, submit.context).id, existing_};
    };
  }

  static json::object body() {
    json::object body;
    body["definition"] = kDefinition;
    body["input"] = json::object{{"who", "Ada"}};
    return body;
  }
  net::Response submit(const json::object& body, net::Headers headers = {}) {
    return post("/api/v1/runs", json::serialize(body), std::move(headers));
  }
  const model::SubmitRun& command(std::size_t n = 0) {
    return std::get<model::SubmitRun>(runtime_.commands.at(n).first);
  }

  bool existing_ = false;
};

TEST_F(SubmitTest, MakesARun) {
  json::object request = body();
  request["job_id"] = "crawl-7";
  request["metadata"] = json::object{{"team", "data"}};
  request["priority"] = 8;
  request["context"] = json::object{
      {"workdir", "/srv/work"},
      {"env", json::object{{"PATH", "/bin"}, {"HOME", "/home/ada"}, {"AWS_SECRET", "x"}, {"LC_ALL", "C"}}}};
  const auto response = submit(request, {{"Idempotency-Key", "key-1"}, {"User-Agent", "baton-cli"}});
  EXPECT_EQ(response.status, 201);
  const auto run = object(response);
  EXPECT_EQ(response.headers.find("Location"), "/api/v1/runs/" + std::string(run.at("id").as_string()));
  EXPECT_EQ(run.at("status"), "pending");

  EXPECT_EQ(command().workflow->name, "greet");
  EXPECT_EQ(command().input, R"({"who":"Ada","times":2})") << "defaults are filled in";
  EXPECT_EQ(command().job_id, "crawl-7");
  EXPECT_EQ(command().priority, 8);
  EXPECT_EQ(command().idempotency_key, "key-1");
  EXPECT_EQ(
      command().context,
      R"({"workdir":"/srv/work","env":{"HOME":"/home/ada","LC_ALL":"C","PATH":"/bin"},"metadata":{"team":"data"},"vars":{"HOME":"/home/ada"}})");
  EXPECT_TRUE(runtime_.commands[0].second.starts_with("cli:")) << runtime_.commands[0].second;
}

TEST_F(SubmitTest, WaitsForTheEndIfAsked) {
  model::RunRow row;
  std::atomic<bool> made = false;
  runtime_.answer = [&](const model::CommandBody& command) -> model::ReplyBody {
    const auto& submit = std::get<model::SubmitRun>(command);
    row = new_run(kDefinition, submit.input, submit.context);
    made = true;
    return model::Submitted{row.id, false};
  };
  net::Response response;
  std::thread waiting([&] { response = post("/api/v1/runs?wait=300", json::serialize(body())); });
  while (!made) std::this_thread::yield();
  row.status = model::RunStatus::completed;
  update(row);
  waiting.join();
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(object(response).at("status"), "completed");
  EXPECT_EQ(response.headers.find("Location"), "/api/v1/runs/" + row.id.text());
}

TEST_F(SubmitTest, ASpanOfWaitingIsANumberOfSeconds) {
  for (const char* query : {"?wait=301", "?wait=-1", "?wait=1m", "?wiat=1"}) {
    EXPECT_EQ(code(post(std::string("/api/v1/runs") + query, json::serialize(body()))), "invalid_request")
        << query;
  }
}

TEST_F(SubmitTest, KeepsTheTraceThatItCameWith) {
  const std::string trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  ASSERT_EQ(submit(body(), {{"traceparent", trace}, {"Idempotency-Key", "k"}}).status, 201);
  EXPECT_NE(command(0).context.find("\"traceparent\":\"" + trace + '"'), std::string::npos)
      << command().context;
  ASSERT_EQ(submit(body(), {{"traceparent", "00-no-trace-01"}, {"Idempotency-Key", "k"}}).status, 201);
  EXPECT_EQ(command(1).context.find("traceparent"), std::string::npos) << command(1).context;
  EXPECT_EQ(command(0).body, command(1).body) << "a repetition may come in another trace";
}

TEST_F(SubmitTest, AVariableThatIsNotSetIsLeftOut) {
  json::object request = body();
  request["context"] = json::object{{"env", json::object{{"PATH", "/bin"}}}};
  ASSERT_EQ(submit(request).status, 201);
  EXPECT_NE(command().context.find(R"("vars":{})"), std::string::npos) << command().context;
}

TEST_F(SubmitTest, AnswersTheSameRunForTheSameKey) {
  existing_ = true;
  EXPECT_EQ(submit(body(), {{"Idempotency-Key", "k"}}).status, 200);
}

TEST_F(SubmitTest, TheBodysHashIsOfWhatTheCallerChose) {
  const net::Headers key{{"Idempotency-Key", "k"}};
  submit(body(), key);
  json::object same = body();
  same["definition"] = std::string("# only a comment\n") + kDefinition;
  same["context"] = json::object{{"env", json::object{{"PATH", "/other"}}}};
  same["input"] = json::object{{"times", 2}, {"who", "Ada"}};
  submit(same, key);
  EXPECT_EQ(command(0).body, command(1).body);

  std::vector<json::object> others(5, body());
  others[0]["input"] = json::object{{"who", "Bob"}};
  others[1]["job_id"] = "j";
  others[2]["priority"] = 1;
  others[3]["metadata"] = json::object{{"a", 1}};
  others[4]["context"] = json::object{{"workdir", "/elsewhere"}};
  for (std::size_t i = 0; i < others.size(); ++i) {
    ASSERT_EQ(submit(others[i], key).status, 201);
    EXPECT_NE(command(i + 2).body, command(0).body) << i;
  }
}

TEST_F(SubmitTest, ADefinitionsErrorsComeAllAtOnce) {
  json::object request = body();
  request["definition"] = "name: x\nsteps:\n  a: {rnu: echo}\n  b: {exec: [true], needs: [c]}\n";
  request["file"] = "flow.yaml";
  const auto response = submit(request);
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(code(response), "invalid_definition");
  const auto problem = object(response);
  const auto& errors = problem.at("errors").as_array();
  ASSERT_GE(errors.size(), 2U);
  EXPECT_EQ(errors[0].at("file"), "flow.yaml");
  EXPECT_EQ(errors[0].at("line").as_int64(), 3);
  EXPECT_TRUE(runtime_.commands.empty());
}

TEST_F(SubmitTest, RefusesWhatItDoesNotUnderstand) {
  const auto expect = [&](json::object request, int status, std::string_view code_, std::string_view pointer,
                          std::string_view part) {
    const auto response = submit(request);
    SCOPED_TRACE(response.body);
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(code(response), code_);
    EXPECT_NE(detail(response).find(part), std::string::npos);
    const auto problem = object(response);
    if (!pointer.empty()) EXPECT_EQ(std::string_view(problem.at("pointer").as_string()), pointer);
  };
  const auto with = [](std::string_view key, json::value value) {
    json::object request = body();
    request[key] = std::move(value);
    return request;
  };
  const auto env = [](std::string_view name, json::value value) {
    json::object variables;
    variables[name] = std::move(value);
    return json::object{{"env", std::move(variables)}};
  };
  expect(with("inputs", json::object()), 400, "invalid_request", "/inputs", "did you mean \"input\"");
  expect(with("definition", 7), 400, "invalid_request", "/definition", "a string");
  expect(with("priority", 10), 400, "invalid_request", "/priority", "from 0 to 9");
  expect(with("priority", 1.5), 400, "invalid_request", "/priority", "from 0 to 9");
  expect(with("metadata", json::array()), 400, "invalid_request", "/metadata", "an object");
  expect(with("job_id", json::string(300, 'j')), 413, "too_large", "/job_id", "at most 256");
  expect(with("context", json::object{{"workdir", "relative"}}), 400, "invalid_request", "/context",
         "absolute");
  expect(with("context", env("A=B", "x")), 400, "invalid_request", "/context/env/A=B", "variables");
  expect(with("context", env("A", 1)), 400, "invalid_request", "/context/env/A", "strings");
  expect(with("input", json::object({{"who", "x"}, {"tims", 1}})), 422, "invalid_input", "/tims", "times");
  expect(with("input", json::object()), 422, "invalid_input", "", "who");
  json::object missing = body();
  missing.erase("definition");
  expect(missing, 400, "invalid_request", "/definition", "missing");
  EXPECT_TRUE(runtime_.commands.empty());
}

TEST_F(SubmitTest, RefusesBodiesThatAreNotJsonObjects) {
  EXPECT_EQ(code(post("/api/v1/runs", "{")), "invalid_request");
  EXPECT_EQ(code(post("/api/v1/runs", "[1]")), "invalid_request");
  EXPECT_EQ(code(post("/api/v1/runs", std::string(100, '['))), "invalid_request");
  EXPECT_EQ(post("/api/v1/runs", "{}", {{"Content-Type", "text/plain"}}).status, 415);
  EXPECT_EQ(code(submit(body(), {{"Idempotency-Key", std::string(300, 'k')}})), "invalid_request");
}

TEST_F(SubmitTest, TheEnginesRefusalIsTheAnswer) {
  runtime_.answer = [](const model::CommandBody&) -> model::ReplyBody {
    return Error{ErrorCode::overloaded, "the mailbox is full", ""};
  };
  const auto response = submit(body());
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(code(response), "overloaded");
  EXPECT_TRUE(response.headers.find("Retry-After").has_value());
}

// ---- Many at once

TEST_F(SubmitTest, ABatchMakesARunOfEachInput) {
  const json::object request{{"definition", kDefinition},
                             {"context", json::object{{"workdir", "/srv"}}},
                             {"runs", json::array{json::object{{"input", json::object{{"who", "Ada"}}}},
                                                  json::object{{"input", json::object{{"who", "Bob"}}},
                                                               {"job_id", "b"},
                                                               {"priority", 7},
                                                               {"metadata", json::object{{"x", 1}}}}}}};
  const auto response = post("/api/v1/runs/batch", json::serialize(request));
  ASSERT_EQ(response.status, 200) << response.body;
  const json::array runs = object(response).at("runs").as_array();
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(get("/api/v1/runs/" + std::string(runs[1].at("id").as_string())).status, 200);
  EXPECT_EQ(runs[1].at("existing"), false);
  EXPECT_EQ(command(0).input, R"({"who":"Ada","times":2})");
  EXPECT_NE(command(0).context.find(R"("workdir":"/srv")"), std::string::npos) << command(0).context;
  EXPECT_EQ(command(1).job_id, "b");
  EXPECT_EQ(command(1).priority, 7);
  EXPECT_NE(command(1).context.find(R"("metadata":{"x":1})"), std::string::npos) << command(1).context;
  EXPECT_EQ(command(0).workflow, command(1).workflow) << "read once";
}

TEST_F(SubmitTest, OneOfABatchThatIsWrongKeepsNoOtherFromBeingMade) {
  const json::object good{{"input", json::object{{"who", "Ada"}}}};
  const json::object request{{"definition", kDefinition},
                             {"runs", json::array{good, json::object{{"input", json::object{{"whom", "x"}}}},
                                                  json::object{{"priority", 10}}, good}}};
  const auto response = post("/api/v1/runs/batch", json::serialize(request));
  ASSERT_EQ(response.status, 200) << response.body;
  const json::array runs = object(response).at("runs").as_array();
  EXPECT_TRUE(runs[0].as_object().contains("id"));
  EXPECT_EQ(runs[1].at("error").at("code"), "invalid_input");
  EXPECT_EQ(runs[2].at("error").at("pointer"), "/runs/2/priority");
  EXPECT_TRUE(runs[3].as_object().contains("id"));
  EXPECT_EQ(runtime_.commands.size(), 2u);
}

TEST_F(SubmitTest, EachOfABatchHasAKey) {
  const json::object input{{"who", "Ada"}};
  const json::object request{{"definition", kDefinition},
                             {"runs", json::array{json::object{{"input", input}},
                                                  json::object{{"input", input}, {"idempotency_key", "own"}},
                                                  json::object{{"input", input}}}}};
  ASSERT_EQ(post("/api/v1/runs/batch", json::serialize(request), {{"Idempotency-Key", "k"}}).status, 200);
  EXPECT_EQ(command(0).idempotency_key, "k.0");
  EXPECT_EQ(command(1).idempotency_key, "own");
  EXPECT_EQ(command(2).idempotency_key, "k.2");
  EXPECT_EQ(command(0).body, command(2).body);
}

TEST_F(SubmitTest, ABatchHasBounds) {
  const auto send = [&](json::value runs, net::Headers headers = {}) {
    const json::object request{{"definition", kDefinition}, {"runs", std::move(runs)}};
    return code(post("/api/v1/runs/batch", json::serialize(request), std::move(headers)));
  };
  EXPECT_EQ(send(json::array()), "invalid_request");
  EXPECT_EQ(send(json::array(1001, json::object())), "invalid_request");
  EXPECT_EQ(send(json::array{7}), "invalid_request");
  EXPECT_EQ(send(json::array{json::object()}, {{"Idempotency-Key", std::string(251, 'k')}}),
            "invalid_request");
  EXPECT_TRUE(runtime_.commands.empty());
}

}  // namespace
}  // namespace baton::api
