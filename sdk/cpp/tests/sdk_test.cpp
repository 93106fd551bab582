// The SDK as a program uses it: values, handlers, builder, and an orchestrator that is used for everything
// else.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <baton/baton.hpp>
#include <cmath>
#include <cstdlib>
#include <deque>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace {

using baton::Code;
using baton::Json;
using baton::Seconds;

struct Point {
  int x = 0;
  std::optional<std::string> name;
  std::vector<double> weights;

  friend bool operator==(const Point&, const Point&) = default;
};
BATON_JSON(Point, x, name, weights)

// ---- Values

TEST(Json, what_is_written_is_read_again) {
  const Json value = Json::object({{"z", nullptr},
                                   {"numbers", Json::array({-1, INT64_MIN, UINT64_MAX, 1.5, 1e300, 2.0})},
                                   {"text", "ä \" \\ \n \x01 \xF0\x9F\x98\x80"},
                                   {"deep", Json::array({Json::array(), Json::object(), true})}});
  const Json again = Json::parse(value.text()).value();
  EXPECT_EQ(again, value);
  EXPECT_EQ(again.text(), value.text());
  EXPECT_TRUE(again["numbers"].at(5).is_number());
  EXPECT_FALSE(again["numbers"].at(5).is_integer());
  EXPECT_EQ(again.if_object()->begin()->first, "z");  // in the order in which they were added
}

TEST(Json, what_is_no_text_does_not_get_out) {
  EXPECT_EQ(Json("a\xFFz").text(), "\"a\xEF\xBF\xBDz\"");
  EXPECT_EQ(Json(0.0 / std::strtod("0", nullptr)).text(), "null");
  EXPECT_EQ(Json::parse("[1,").error().code, Code::invalid_input);
  EXPECT_FALSE(Json::parse(std::string(600, '[') + std::string(600, ']')));
}

TEST(Json, objects_keep_names_unique_however_many) {
  baton::JsonObject many;
  for (int i = 0; i < 1000; ++i) many["k" + std::to_string(i % 500)] = i;
  EXPECT_EQ(many.size(), 500U);
  EXPECT_EQ(*many.find("k499"), Json(999));
  EXPECT_TRUE(many.erase("k0"));
  EXPECT_FALSE(many.contains("k0"));
  EXPECT_EQ(*many.find("k499"), Json(999));
  baton::JsonObject copy = many;
  copy["k1"] = 0;
  EXPECT_EQ(*many.find("k1"), Json(501));
}

TEST(Json, structs_there_and_back) {
  const Point point{3, "p", {0.5, 2}};
  EXPECT_EQ(Json::of(point).text(), R"({"x":3,"name":"p","weights":[0.5,2.0]})");
  EXPECT_EQ(Json::of(point).get<Point>(), point);
  EXPECT_EQ(Json::parse(R"({"x":3,"weights":[],"more":1})").value().get<Point>(), (Point{3, {}, {}}));
}

TEST(Json, any_value_there_and_back) {
  std::mt19937 random(7);
  const auto upto = [&](unsigned most) { return static_cast<unsigned>(random() % (most + 1)); };
  const auto text = [&] {
    std::string made;
    for (unsigned i = upto(8); i > 0; --i)
      made += std::array{"a", "\"", "\\", "\n", "\x01", "\xC3\xA4", "\xF0\x9F\x98\x80", "/"}[upto(7)];
    return made;
  };
  const std::function<Json(unsigned)> value = [&](unsigned levels) -> Json {
    switch (upto(levels == 0 ? 5 : 7)) {
      case 0:
        return nullptr;
      case 1:
        return upto(1) == 1;
      case 2:
        return static_cast<std::int64_t>((static_cast<std::uint64_t>(random()) << 32) | random());
      case 3:
        return (static_cast<std::uint64_t>(random()) << 32) | random();
      case 4:
        return std::ldexp(static_cast<double>(random()), static_cast<int>(upto(200)) - 100);
      case 5:
        return text();
      case 6: {
        Json items = Json::array();
        for (unsigned i = upto(4); i > 0; --i) items.push_back(value(levels - 1));
        return items;
      }
      default: {
        Json members = Json::object();
        for (unsigned i = upto(30); i > 0; --i) members.set(text(), value(levels - 1));
        return members;
      }
    }
  };
  for (int i = 0; i < 2000; ++i) {
    const Json made = value(3);
    const Json again = Json::parse(made.text()).value();
    ASSERT_EQ(again, made) << made.text();
    ASSERT_EQ(again.text(), made.text());
  }
}

TEST(Json, what_does_not_fit_says_where) {
  const auto wrong = [](const char* text) {
    return Json::parse(text).value().try_get<std::map<std::string, std::vector<Point>>>().error();
  };
  EXPECT_EQ(wrong(R"({"a":[{"x":1,"weights":[]},{"x":"1","weights":[]}]})").where, "/a/1/x");
  EXPECT_EQ(wrong(R"({"a":[{"weights":[]}]})").message, "/a/0/x: this member is missing");
  EXPECT_EQ(wrong(R"({"a":[{"x":3000000000,"weights":[]}]})").where, "/a/0/x");
  EXPECT_EQ(wrong(R"({"a":[{"x":1.5,"weights":[]}]})").where, "/a/0/x");
  EXPECT_EQ(wrong("[]").code, Code::invalid_input);
  EXPECT_THROW(Json(-1).get<unsigned>(), baton::JsonError);
  EXPECT_THROW(Json(1).set("a"), baton::JsonError);
}

TEST(Json, containers_there_and_back) {
  using Named = std::unordered_map<std::string, std::array<int, 2>>;
  using All = std::tuple<std::pair<int, std::string>, std::set<int>, std::deque<bool>, Named>;
  const All all{{1, "a"}, {3, 2, 2}, {true, false}, {{"k", {4, 5}}}};
  EXPECT_EQ(Json::of(all).text(), R"([[1,"a"],[2,3],[true,false],{"k":[4,5]}])");
  EXPECT_EQ(Json::of(all).get<All>(), all);
  EXPECT_EQ(Json::array({1, 1}).get<std::unordered_set<int>>().size(), 1U);
  const auto wrong = Json::parse(R"([[1,"a",2],[],[],{}])").value().try_get<All>();
  EXPECT_EQ(wrong.error().message, "/0: expected a list of 2 items, found one of 3");
  EXPECT_EQ(Json::parse(R"([[1,"a"],[],[],{"k":[4,"x"]}])").value().try_get<All>().error().where, "/3/k/1");
}

TEST(Result, value_throws_what_is_wrong) {
  const baton::Result<int> none = baton::Error{Code::not_found, "there is no such thing", ""};
  EXPECT_EQ(none.value_or(7), 7);
  try {
    static_cast<void>(none.value());
    FAIL();
  } catch (const baton::Exception& error) {
    EXPECT_EQ(error.error().code, Code::not_found);
    EXPECT_STREQ(error.what(), "there is no such thing");
  }
  EXPECT_EQ(baton::name(Code::internal), "internal");
  EXPECT_EQ(baton::name(Code::usage), "usage");
}

// ---- The builder

TEST(Builder, names_come_from_titles) {
  EXPECT_EQ(baton::name_of("My Workflow"), "my-workflow");
  EXPECT_EQ(baton::name_of("--"), "step");
  baton::Workflow flow("A  B");
  EXPECT_EQ(flow.name(), "a-b");
  flow.step("One Step");
  flow.step("one step");
  EXPECT_EQ(flow.to_json()["title"], Json("A  B"));
  EXPECT_EQ(flow.to_json()["steps"]["one-step-2"]["title"], Json("one step"));
  flow.step("s");
  EXPECT_THROW(flow.step("s"), baton::Exception);
}

TEST(Builder, conditions_are_expressions_already) {
  baton::Workflow flow("f");
  auto& a = flow.step("a").run("true");
  flow.step("b").switch_to(Json::array(
      {Json::object({{"when", a.result()["n"]}, {"goto", "c"}}), Json::object({{"when", "true"}})}));
  flow.step("c")
      .run("true")
      .repeat(Json::object({{"until", baton::expr("self.result.done")}, {"max", 3}}))
      .when(a.status());
  const Json steps = flow.to_json()["steps"];
  EXPECT_EQ(steps["b"]["switch"].at(0)["when"], Json("steps.a.result.n"));
  EXPECT_EQ(steps["b"]["needs"], Json::array({"a"}));
  EXPECT_EQ(steps["c"]["repeat"]["until"], Json("self.result.done"));
  EXPECT_EQ(steps["c"]["when"], Json("steps.a.status"));
}

TEST(Builder, who_uses_a_result_needs_its_step) {
  baton::Workflow flow("f");
  auto& a = flow.step("a").run("true");
  auto& b = flow.step("b-1").run("true").env({{"X", a.result()["k v"][0]}});
  flow.step("c").run("true").when("steps[\"b-1\"].status == 'steps.d' && steps.a.status != ''");
  flow.step("d").task("f").with("${{ item }} steps.a").needs(b);
  const Json steps = flow.to_json()["steps"];
  EXPECT_EQ(steps["b-1"]["env"]["X"], Json("${{ steps.a.result[\"k v\"][0] }}"));
  EXPECT_EQ(steps["b-1"]["needs"], Json::array({"a"}));
  EXPECT_EQ(steps["c"]["needs"].size(), 2U);
  EXPECT_EQ(steps["d"]["needs"], Json::array({"b-1"}));
}

// ---- With an orchestrator

class Orchestra : public testing::Test {
 protected:
  Orchestra() {
    std::string name = testing::TempDir() + "baton-sdk-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~Orchestra() override {
    orchestrator_.reset();
    std::filesystem::remove_all(folder_);
  }

  baton::Orchestrator& made() {
    if (!orchestrator_) orchestrator_.emplace(options());
    return *orchestrator_;
  }
  baton::OrchestratorOptions options() const {
    baton::OrchestratorOptions options(folder_ + "/data");
    options.threads = 4;
    options.grace = Seconds(0);
    return options;
  }
  baton::Client& client() { return made().client(); }
  // The only task of a run that calls this function, once it has ended.
  baton::TaskRow ended(const char* function, const Json& input = {}) {
    const baton::Run run = client().call(function, input).value();
    static_cast<void>(client().wait(run.id, Seconds(60)).value());
    return client().tasks(run.id).value().at(0);
  }

  std::string folder_;
  std::optional<baton::Orchestrator> orchestrator_;
};

TEST_F(Orchestra, handlers_take_and_give_what_they_say) {
  made().handle("nothing", [] {});
  made().handle("double", [](int n) { return 2 * n; });
  made().handle("join", [](const std::string& a, int b) { return a + std::to_string(b); });
  made().handle("same", [](baton::Context&, Point point) { return point; });
  made().handle("maybe", [](int n) -> baton::Result<int> {
    if (n < 0) return baton::Error{Code::conflict, "not below zero", ""};
    return n;
  });
  made().start().value();
  EXPECT_EQ(ended("nothing").status, "completed");
  EXPECT_EQ(ended("double", 21).result, Json(42));
  EXPECT_EQ(ended("join", Json::array({"a", 1})).result, Json("a1"));
  EXPECT_EQ(ended("same", Json::of(Point{1, "n", {2}})).result.get<Point>(), (Point{1, "n", {2}}));
  EXPECT_EQ(ended("maybe", 1).result, Json(1));
  EXPECT_EQ(ended("maybe", -1).error->type, "conflict");
  for (const auto& [function, input] :
       {std::pair("double", Json("x")), std::pair("join", Json::array({"a"}))}) {
    const baton::TaskRow task = ended(function, input);
    EXPECT_EQ(task.error->type, "validation");
    EXPECT_EQ(task.attempts, 1U);
  }
}

TEST_F(Orchestra, handlers_may_hold_what_cannot_be_copied) {
  made().handle("owns", [factor = std::make_unique<int>(3)](int n) { return *factor * n; });
  struct Counter {
    std::unique_ptr<std::atomic<int>> calls = std::make_unique<std::atomic<int>>(0);
    int operator()(baton::Context&) { return ++*calls; }
  };
  made().handle("counts", Counter());
  made().start().value();
  EXPECT_EQ(ended("owns", 7).result, Json(21));
  EXPECT_EQ(ended("counts").result, Json(1));
  EXPECT_EQ(ended("counts").result, Json(2));  // one object for all calls
}

TEST_F(Orchestra, large_inputs_and_odd_texts_arrive_as_they_are) {
  made().handle("size", [](const std::string& text) { return text.size(); });
  made().handle("same", [](const Json& value) { return value; });
  made().start().value();
  EXPECT_EQ(ended("size", std::string(1 << 20, 'x')).result, Json(1 << 20));
  const Json odd =
      Json::array({"", "a\0b\x01\x7f", "\xF0\x9F\x98\x80 \u2028", INT64_MIN, UINT64_MAX, -0.0, 1e-300});
  EXPECT_EQ(ended("same", odd).result, odd);
  EXPECT_EQ(ended("same", "a\xFFz").result, Json("a\uFFFDz"));  // no UTF-8: U+FFFD
  const auto refused = client().call("size", std::string(20 << 20, 'x'));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::too_large) << refused.error().message;
}

TEST_F(Orchestra, what_a_thread_of_a_handler_throws_comes_by_way_of_the_handler) {
  made().handle("threads", [] {
    std::exception_ptr thrown;
    std::thread([&] {
      try {
        throw std::domain_error("in a thread");
      } catch (...) {
        thrown = std::current_exception();
      }
    }).join();
    std::rethrow_exception(thrown);
  });
  made().start().value();
  EXPECT_EQ(ended("threads").error->type, "domain_error");
}

TEST_F(Orchestra, a_stop_while_handlers_run_is_waited_for_and_loses_nothing) {
  std::atomic<int> begun = 0;
  std::atomic<bool> gate = false;
  const auto handlers = [&] {
    made().handle("looks", [&](baton::Context& ctx) {
      ++begun;
      while (!gate) ctx.sleep(Seconds(0.005));
      return 1;
    });
    made().handle("blocks", [&] {
      ++begun;
      while (!gate) std::this_thread::yield();
      return 2;
    });
    made().start().value();
  };
  handlers();
  const baton::Run looks = client().call("looks").value();
  const baton::Run blocks = client().call("blocks").value();
  while (begun < 2) std::this_thread::yield();
  std::thread opens([&] {
    baton::Client hasty(folder_ + "/data", Seconds(0));
    while (hasty.get(looks.id)) std::this_thread::yield();  // until the orchestrator is about to end
    gate = true;
  });
  made().stop();
  opens.join();
  EXPECT_EQ(made().open_runs(), 0U);
  EXPECT_EQ(baton::Client(folder_ + "/data", Seconds(0)).get(looks.id).error().code, Code::unavailable);
  orchestrator_.reset();
  handlers();
  EXPECT_EQ(client().result(looks.id).value(), Json(1));
  EXPECT_EQ(client().result(blocks.id).value(), Json(2));
}

TEST_F(Orchestra, an_attempt_fails_as_its_handler_says) {
  made().handle("throws", [] { throw std::out_of_range("too far"); });
  made().handle("odd", [] { throw 1; });
  made().handle("typed", [] {
    throw baton::TaskFailed("no quota").type("quota").retry_after(Seconds(1)).never_retry().partial(Json(7));
  });
  made().handle("large", [] { return std::string((2 << 20) + 1, 'x'); });
  made().handle("deep", [] {
    Json deep = 1;
    for (int i = 0; i < 100; ++i) deep = Json::array({deep});
    return deep;
  });
  made().start().value();
  EXPECT_EQ(ended("throws").error->type, "out_of_range");
  EXPECT_EQ(ended("throws").error->message, "too far");
  EXPECT_EQ(ended("odd").error->type, "unknown");
  EXPECT_EQ(ended("typed").error->type, "quota");
  EXPECT_EQ(ended("large").error->type, "validation");
  EXPECT_EQ(ended("deep").error->type, "validation");

  std::atomic<int> calls = 0;
  made().handle("third", [&](baton::Context& ctx) {
    if (++calls < 3) throw baton::TaskFailed("again").retry_after(Seconds(0));
    return ctx.attempt();
  });
  baton::Workflow flow("retries");
  flow.step("s").task("third").retry(Json::object({{"max_attempts", 5}, {"initial", 0.01}}));
  EXPECT_EQ(client().result(client().submit(flow).value().id).value(), Json(3));
}

TEST_F(Orchestra, a_context_knows_and_tells) {
  std::atomic<bool> go_on = false;
  made().handle("tells", [&](baton::Context& ctx) {
    ctx.log("first line");
    ctx.log("second line\n");
    ctx.progress(40, "half way").value();
    ctx.heartbeat().value();
    EXPECT_TRUE(ctx.register_resource("r", {"true"}).value());
    EXPECT_FALSE(ctx.register_resource("r", {"true"}).value());
    EXPECT_TRUE(ctx.release_resource("r").value());
    EXPECT_FALSE(ctx.release_resource("r").value());
    const auto added = ctx.add_tasks(baton::steps_json({baton::step("more").task("added").with(5)})).value();
    EXPECT_EQ(added.size(), 1U);
    while (!go_on) ctx.sleep(Seconds(0.005));
    return Json::object(
        {{"run", ctx.run_id()}, {"task", ctx.task_id()}, {"step", ctx.step()}, {"token", ctx.token()}});
  });
  made().handle("added", [](int n) { return n; });
  made().start().value();
  const baton::Run run = client().call("tells").value();
  const auto task = [&] { return client().tasks(run.id).value().at(0); };
  while (!(task().raw["progress"] == Json(40))) std::this_thread::yield();
  go_on = true;
  EXPECT_EQ(client().wait(run.id).value().status, "completed");
  EXPECT_EQ(task().result["run"], Json(run.id));
  EXPECT_EQ(task().result["task"], Json(task().id));
  EXPECT_EQ(task().result["step"], Json("tells"));
  EXPECT_EQ(client().logs(task().id).value(), "first line\nsecond line\n");
  EXPECT_EQ(client().tasks(run.id).value().at(1).result, Json(5));
}

TEST_F(Orchestra, runs_are_started_once_by_a_task) {
  made().handle("child", [](int n) { return n + 1; });
  std::mutex mutex;
  std::set<std::string> ids;
  std::atomic<int> calls = 0;
  made().handle("parent", [&](baton::Context& ctx) {
    const std::string id = ctx.start_run("child", {.input = Json::object({{"n", 1}})}).value();
    const std::lock_guard lock(mutex);
    ids.insert(id);
    if (++calls == 1) throw baton::TaskFailed("once more");
    return id;
  });
  made().start().value();
  baton::Workflow child("child");
  child.input("n", Json::object({{"type", "integer"}})).step("c").task("child").with(baton::input("n"));
  client().apply(child).value();
  baton::Workflow parent("parent");
  parent.step("p").task("parent").retry(Json::object({{"max_attempts", 2}, {"initial", 0.01}}));
  const Json id = client().result(client().submit(parent).value().id).value();
  EXPECT_EQ(ids.size(), 1U);
  EXPECT_EQ(client().result(id.get<std::string>()).value(), Json(2));
}

TEST_F(Orchestra, what_is_cancelled_hears_of_it) {
  std::atomic<bool> begun = false;
  std::atomic<bool> tidied = false;
  made().handle("waits", [&](baton::Context& ctx) {
    begun = true;
    try {
      ctx.sleep(Seconds(600));
    } catch (const std::exception&) {
      ADD_FAILURE() << "Cancelled is no std::exception";
    } catch (const baton::Cancelled& why) {
      EXPECT_EQ(why.reason(), baton::EndReason::cancelled);
      EXPECT_TRUE(ctx.cancelled());
      EXPECT_THROW(ctx.check_cancelled(), baton::Cancelled);
      tidied = true;
      throw;
    }
  });
  made().start().value();
  const baton::Run run = client().call("waits").value();
  while (!begun) std::this_thread::yield();
  client().cancel(run.id, "enough").value();
  EXPECT_EQ(client().wait(run.id).value().status, "cancelled");
  EXPECT_TRUE(tidied);
}

TEST_F(Orchestra, a_time_limit_ends_what_does_not_look) {
  const auto release = std::make_shared<std::atomic<bool>>(false);  // it outlives this function
  made().handle("deaf", [release] {
    while (!*release) std::this_thread::yield();
  });
  made().handle("next", [] { return 1; });
  made().start().value();
  baton::Workflow flow("limits");
  flow.step("s").task("deaf").timeout(Json::object({{"soft", 0.05}, {"hard", 0.1}}));
  const baton::Run run = client().submit(flow).value();
  EXPECT_EQ(client().wait(run.id).value().error->type, "timeout");
  EXPECT_EQ(ended("next").result, Json(1));  // the thread that is taken has been replaced
  *release = true;
}

TEST_F(Orchestra, a_restart_goes_on) {
  std::atomic<int> first = 0;
  std::atomic<bool> begun = false;
  const auto handlers = [&] {
    made().handle("first", [&] { return ++first; });
    made().handle("second", [&](baton::Context& ctx, int n) {
      if (!begun.exchange(true)) ctx.sleep(Seconds(600));
      return n;
    });
    made().start().value();
  };
  handlers();
  baton::Workflow flow("two");
  auto& one = flow.step("one").task("first");
  flow.step("two").task("second").with(one.result());
  const baton::Run run = client().submit(flow).value();
  while (!begun) std::this_thread::yield();
  EXPECT_EQ(made().open_runs(), 1U);
  orchestrator_.reset();
  handlers();
  EXPECT_EQ(client().result(run.id).value(), Json(1));
  EXPECT_EQ(first, 1);
  made().wait_idle().value();
  EXPECT_EQ(client().tasks(run.id).value().at(1).raw["interrupted"], Json(1));
}

TEST_F(Orchestra, an_attempt_knows_how_long_it_may_go_on) {
  made().handle("left", [](baton::Context& ctx) {
    const auto left = ctx.time_left();
    EXPECT_EQ(left.has_value(), ctx.deadline().has_value());
    return left ? left->count() : -1;
  });
  made().start().value();
  EXPECT_EQ(client().result(client().call("left").value().id).value(), Json(-1.0));
  baton::Workflow flow("limited");
  flow.step("left").task("left").timeout("1h");
  const auto left = client().result(client().submit(flow).value().id).value().get<double>();
  EXPECT_GT(left, 0);
  EXPECT_LE(left, 3600);
}

TEST_F(Orchestra, what_happens_to_a_run_is_followed) {
  made().handle("f", [] { return 1; });
  made().start().value();
  baton::Workflow flow("two");
  auto& wait = flow.step("gate").wait_signal("go");
  flow.step("f").task("f").needs(wait);
  const std::string run = client().submit(flow).value().id;
  std::vector<std::string> live;
  const auto follow = [&](const baton::Event& event) {
    if (live.empty()) client().signal(run, "go").value();  // it waits for nothing else
    live.push_back(event.id);
    return true;
  };
  client().events(run, follow).value();
  EXPECT_EQ(client().get(run).value().status, "completed");
  EXPECT_EQ(std::set<std::string>(live.begin(), live.end()).size(), live.size());
  // Of one that has ended: the same again, also in two parts.
  std::vector<std::string> again;
  std::string last;
  const auto note = [&](const baton::Event& event) {
    again.push_back(event.id);
    last = event.type;
    return again.size() != 2;
  };
  client().events(run, note).value();
  ASSERT_EQ(again.size(), 2U);
  client().events(run, note, again.back()).value();
  EXPECT_EQ(again, live);
  EXPECT_EQ(last, "run.ended");
  EXPECT_THROW(static_cast<void>(client().events(run, [](const baton::Event&) -> bool { throw 7; })), int);
  EXPECT_EQ(client().events("none", note).error().code, Code::not_found);
}

TEST_F(Orchestra, a_directory_has_one_owner) {
  made().handle("f", [] {});
  made().start().value();
  EXPECT_EQ(made().start().error().code, Code::usage);
  baton::Orchestrator second(options());
  EXPECT_EQ(second.start().error().code, Code::owned);
  // But everybody of this user may ask the one that has it.
  baton::Client other(folder_ + "/data");
  EXPECT_TRUE(other.result(other.call("f").value().id));
  made().stop();
  made().stop();
  second.start().value();
}

TEST_F(Orchestra, a_function_that_comes_later_is_waited_for) {
  made().start().value();
  const baton::Run run = client().call("late").value();
  EXPECT_NE(client().explain(run.id).value().at(0).find("late"), std::string::npos);
  EXPECT_EQ(client().wait(run.id, Seconds(0)).error().code, Code::timed_out);
  made().handle("late", [] { return 1; });
  EXPECT_EQ(client().result(run.id).value(), Json(1));
  EXPECT_THROW(made().handle("late", [] {}), baton::Exception);
  EXPECT_THROW(made().handle("no name", [] {}), baton::Exception);
}

TEST_F(Orchestra, processes_and_functions_in_one_run) {
  made().handle("lines", [](const Json& before) { return before["stdout"]; });
  made().start().value();
  baton::Workflow flow("mixed");
  auto& echo = flow.step("echo").run("echo 7");
  flow.step("lines").task("lines").with(echo.result());
  EXPECT_EQ(client().result(client().submit(flow).value().id).value(), Json("7\n"));
}

TEST_F(Orchestra, runs_are_made_once_and_steered) {
  made().handle("f", [](int n) { return n; });
  made().start().value();
  baton::Workflow flow("w");
  flow.input("n", Json::object({{"type", "integer"}}));
  auto& wait = flow.step("gate").wait_signal("go");
  flow.step("f").task("f").with(baton::input("n")).needs(wait);
  client().apply(flow).value();
  const baton::Start start{.input = Json::object({{"n", 3}}), .job_id = "j", .idempotency_key = "once"};
  const baton::Run run = client().start("w", start).value();
  EXPECT_TRUE(client().start("w", start).value().existing);
  EXPECT_EQ(client().start("w", {.input = Json::object({{"n", 4}}), .idempotency_key = "once"}).error().code,
            Code::idempotency_mismatch);
  EXPECT_EQ(client().start("nothing").error().code, Code::not_found);
  EXPECT_EQ(client().start("w", {.input = Json::object({{"m", 4}})}).error().code, Code::invalid_input);
  EXPECT_EQ(client().pause(run.id, "a look").value().status, "paused");
  EXPECT_EQ(client().signal(run.id, "go", 1, "key").value(), client().signal(run.id, "go", 1, "key").value());
  client().resume(run.id).value();
  EXPECT_EQ(client().result(run.id).value(), Json(3));
  EXPECT_EQ(client().results(run.id).value()["gate"], Json(1));
  EXPECT_EQ(client().cancel(run.id).error().code, Code::conflict);
  const baton::Run again = client().replay(run.id, {.input = Json::object({{"n", 5}})}).value();
  EXPECT_NE(again.id, run.id);
  client().terminate(again.id).value();
  EXPECT_EQ(client().wait(again.id).value().status, "cancelled");
  EXPECT_EQ(client().result(again.id).error().code, Code::conflict);
  EXPECT_EQ(client().list({.job_id = "j"}).value().size(), 2U);
  EXPECT_EQ(client().submit("steps: {a: {rum: x}}").error().code, Code::invalid_definition);
  EXPECT_EQ(client().request("GET", "/api/v1/runs/" + run.id).value()["id"], Json(run.id));
  EXPECT_EQ(client().request("GET", "/api/v1/runs/none").error().code, Code::not_found);
  EXPECT_EQ(client().request("LOOK", "/").error().code, Code::usage);
}

TEST_F(Orchestra, people_decide_about_tasks) {
  made().handle("fails", [](int n) {
    if (n < 0) throw baton::TaskFailed("below zero").type("negative");
    return n;
  });
  made().start().value();
  baton::Workflow ask("ask");
  ask.step("ask").wait_approval("Go?");
  std::vector<std::string> runs{client().submit(ask).value().id, client().submit(ask).value().id};
  std::map<std::string, std::string> questions;
  while (questions.size() < 2) {
    for (const Json& one : client().approvals().value())
      questions[one["run"].get<std::string>()] = one["task"].get<std::string>();
  }
  EXPECT_EQ(client().approve(questions[runs[0]], Json::object({{"n", 1}}), "fine").value().status,
            "completed");
  EXPECT_EQ(client().result(runs[0]).value()["value"]["n"], Json(1));
  client().reject(questions[runs[1]], "no").value();
  EXPECT_EQ(client().wait(runs[1]).value().error->type, "rejected");
  EXPECT_TRUE(client().approvals(runs[0]).value().empty());

  baton::Workflow hold("hold");
  hold.step("s").task("fails").with(-1).on_error(
      Json::array({Json::object({{"match", Json::object({{"type", "negative"}})}, {"do", "hold"}})}));
  const auto held = [&](const std::string& run, std::uint32_t attempts) {
    for (;;) {
      const baton::TaskRow task = client().tasks(run).value().at(0);
      if (task.attempts == attempts && !task.raw["held"].is_null() && !(task.raw["held"] == Json(false)))
        return task.id;
    }
  };
  const std::string completed = client().submit(hold).value().id;
  client().complete_task(held(completed, 1), Json::object({{"by", "hand"}}), "known").value();
  EXPECT_EQ(client().result(completed).value()["by"], Json("hand"));
  const std::string skipped = client().submit(hold).value().id;
  EXPECT_EQ(client().skip_task(held(skipped, 1)).value().status, "skipped");
  const std::string failed = client().submit(hold).value().id;
  client().retry_task(held(failed, 1), "once more").value();
  client().fail_task(held(failed, 2)).value();
  EXPECT_EQ(client().wait(failed).value().status, "failed");

  // What failed for good.
  for (const Json& letter : client().dead_letters().value())
    client().discard_dead_letters({letter["id"].get<std::string>()}).value();
  const baton::Run dead = client().call("fails", -2).value();
  client().wait(dead.id).value();
  const Json letter = client().dead_letters({.workflow = "fails", .error_type = "negative"}).value().at(0);
  const auto id = letter["id"].get<std::string>();
  EXPECT_EQ(client().dead_letter(id).value()["arguments"]["with"], Json(-2));
  client().replay_dead_letter(id, Json::object({{"with", 5}}), "mended").value();
  EXPECT_EQ(client().result(dead.id).value(), Json(5));
  EXPECT_TRUE(client().dead_letters().value().empty());
}

TEST_F(Orchestra, what_operators_see_and_set) {
  made().handle("f", [](int n) { return n; });
  made().start().value();
  baton::Workflow flow("many");
  flow.input("n", Json::object({{"type", "integer"}}));
  flow.step("s").task("f").with(baton::input("n"));
  const std::vector<Json> inputs{Json::object({{"n", 1}}), Json::object({{"n", 2}})};
  const auto ids = client().submit_many(flow, inputs, "key").value();
  EXPECT_EQ(client().result(ids.at(1)).value(), Json(2));
  EXPECT_EQ(client().submit_many(flow, inputs, "key").value(), ids);
  EXPECT_EQ(client().submit_many(flow, {inputs[0], Json::object({{"n", "x"}})}).error().where, "/runs/1");
  EXPECT_EQ(client().apply(flow).value().version, 1U);
  EXPECT_EQ(client().apply(flow.title("Many"), {.expected = 1}).value().version, 2U);
  EXPECT_EQ(client().apply(flow.title("More"), {.expected = 1}).error().code, Code::conflict);
  EXPECT_EQ(client().workflows().value().at(0)["name"], Json("many"));
  EXPECT_EQ(client().versions("many").value().size(), 2U);
  EXPECT_TRUE(client().workflow("many", 1).value()["definition"].is_object());
  EXPECT_EQ(client().workflow("none").error().code, Code::not_found);
  client().pause_queue("slow", "a look").value();
  const auto queues = client().queues().value();
  EXPECT_TRUE(
      std::ranges::any_of(queues, [](const Json& q) { return q["pause"]["reason"] == Json("a look"); }));
  client().resume_queue("slow").value();
  const auto worker = client().workers().value().at(0)["name"].get<std::string>();
  client().pause_worker(worker, "a look").value();
  client().resume_worker(worker).value();
  EXPECT_EQ(client().drain_worker(worker).error().code, Code::conflict);  // it is part of this process
  client().set_secret("token", "s3cret-value").value();
  EXPECT_EQ(client().secrets().value().size(), 1U);
  client().delete_secret("token").value();
  EXPECT_EQ(client().delete_secret("token").error().code, Code::not_found);
  baton::Workflow waits("waits");
  waits.step("w").wait_signal("go");
  const baton::Run run = client().submit(waits, {.metadata = Json::object({{"a", 1}})}).value();
  const baton::Run changed =
      client().change(run.id, {.priority = 9, .metadata = Json::object({{"a", nullptr}, {"b", 2}})}).value();
  EXPECT_EQ(changed.metadata, Json::object({{"b", 2}}));
  EXPECT_EQ(changed.raw["priority"], Json(9));
}

TEST(Address, the_environment_says_where_the_server_is) {
  const std::string file = testing::TempDir() + "baton-sdk-key";
  ::setenv("BATON_URL", "baton.example:7711", 1);
  EXPECT_EQ(baton::Client().get("x").error().code, Code::bad_configuration);
  ::setenv("BATON_URL", "http://127.0.0.1:1", 1);
  ::setenv("BATON_API_KEY_FILE", file.c_str(), 1);
  std::ofstream(file) << "\n";
  EXPECT_EQ(baton::Client().get("x").error().message,
            "BATON_API_KEY_FILE: the first line of " + file + " is empty; it has to be the key");
  std::ofstream(file) << "k\n";
  EXPECT_EQ(baton::Client({}, Seconds(0)).get("x").error().code, Code::unavailable);
  ::unsetenv("BATON_API_KEY_FILE");
  ::unsetenv("BATON_URL");
  const auto nobody = baton::Client("/no/such/folder", Seconds(0)).get("x").error();
  EXPECT_EQ(nobody.code, Code::unavailable);
  EXPECT_NE(nobody.message.find("; start `baton server`, or say"), std::string::npos);
  std::filesystem::remove(file);
}

// What the builder makes of each group of fields is what YAML says: the same content, the same version.
TEST_F(Orchestra, builder_and_yaml_make_the_same_version) {
  made().start().value();
  const auto same = [&](const baton::Workflow& flow, const std::string& yaml) {
    const auto made_by_yaml = client().apply(yaml);
    ASSERT_TRUE(made_by_yaml) << made_by_yaml.error().message;
    const auto made_here = client().apply(flow);
    ASSERT_TRUE(made_here) << made_here.error().message;
    EXPECT_EQ(made_here->outcome, "unchanged") << flow.text() << "\n" << made_here->raw.text();
  };
  const auto list = [](std::initializer_list<Json> items) { return Json::array(items); };

  baton::Workflow kinds("kinds");
  kinds.title("Kinds").description("One of each");
  kinds.input("n", Json::object({{"type", "integer"}, {"default", 1}}));
  kinds.step("run").run("echo").env({{"N", baton::input("n")}}).workdir("/tmp").parse("json");
  kinds.step("exec").exec({"echo", "a b"});
  kinds.step("http").http(Json::object({{"url", "http://127.0.0.1/"}, {"method", "GET"}}));
  kinds.step("task").task("f").with({{"n", baton::input("n")}});
  kinds.step("child").workflow("other");
  kinds.step("wait").wait_for(Seconds(90));
  kinds.step("signal").wait_signal("go");
  auto& set = kinds.step("set").set(Json::object({{"a", baton::expr("inputs.n + 1")}}));
  kinds.step("items")
      .for_each(list({1, 2}))
      .max_parallel(2)
      .max_failures("50%")
      .task("f")
      .with(list({baton::item(), baton::index(), set.result()["a"]}));
  kinds.last("end").run("echo");
  same(kinds, R"(
name: kinds
title: Kinds
description: One of each
inputs: {n: {type: integer, default: 1}}
steps:
  run: {run: echo, env: {N: "${{ inputs.n }}"}, workdir: /tmp, parse: json}
  exec: {exec: [echo, a b]}
  http: {http: {url: "http://127.0.0.1/", method: GET}}
  task: {task: f, with: {n: "${{ inputs.n }}"}}
  child: {workflow: other}
  wait: {wait: {for: 90}}
  signal: {wait: {signal: go}}
  set: {set: {a: "${{ inputs.n + 1 }}"}}
  items: {for_each: [1, 2], max_parallel: 2, max_failures: "50%", task: f, with: ["${{ item }}", "${{ index }}", "${{ steps.set.result.a }}"], needs: [set]}
finally:
  end: {run: echo}
)");

  baton::Workflow failing("failing");
  failing.deadline(Seconds(3600)).fail_fast().max_parallel(3).recovery(Json::object({{"max_attempts", 2}}));
  failing.defaults(Json::object({{"queue", "slow"}, {"timeout", 60}}));
  auto& a =
      failing.step("a").task("f").retry(4).timeout(Seconds(5)).deadline(Seconds(50)).continue_on_error();
  auto& b =
      failing.step("b")
          .task("f")
          .retry(Json::object({{"max_attempts", 3}, {"initial", 2}, {"backoff", "linear"}}))
          .timeout(Json::object({{"soft", 5}, {"hard", 9}, {"heartbeat", 3}}))
          .on_error(list({Json::object({{"match", Json::object({{"type", "quota"}})}, {"do", "fail"}})}))
          .fallback(Json::object({{"run", "echo"}}))
          .needs(a);
  failing.step("c")
      .run("echo")
      .trigger_rule("all_done")
      .when(baton::expr("steps.b.status == 'completed'"))
      .cleanup(Json::object({{"run", "echo"}}))
      .compensate(Json::object({{"run", "echo"}}));
  static_cast<void>(b);
  same(failing, R"(
name: failing
deadline: 1h
fail_fast: true
max_parallel: 3
recovery: {max_attempts: 2}
defaults: {queue: slow, timeout: 60}
steps:
  a: {task: f, retry: {max_attempts: 4}, timeout: 5, deadline: 50, continue_on_error: true}
  b:
    task: f
    retry: {max_attempts: 3, initial: 2, backoff: linear}
    timeout: {soft: 5, hard: 9, heartbeat: 3}
    on_error: [{match: {type: quota}, do: fail}]
    fallback: {run: echo}
    needs: [a]
  c:
    run: echo
    trigger_rule: all_done
    when: steps.b.status == 'completed'
    cleanup: {run: echo}
    compensate: {run: echo}
    needs: [b]
)");

  baton::Workflow rest("rest");
  rest.labels(Json::object({{"team", "data"}}))
      .env(Json::object({{"A", "1"}}))
      .max_recovery_attempts(2)
      .retry_budget(10)
      .sla(Seconds(60))
      .concurrency(Json::object({{"key", "k"}, {"limit", 1}}))
      .targets(
          Json::parse(R"({"nlp": {"url": "http://nlp:8001", "operations": {"process": {"timeout": 60}}}})")
              .value())
      .retention(Json::object({{"completed", "7d"}}));
  rest.step("a")
      .run("echo")
      .shell({"bash", "-e", "-c"})
      .type("check")
      .tags({"x", "y"})
      .critical()
      .sla(Seconds(30))
      .uses({{"gpu", 1}})
      .secrets({"token"})
      .preflight(Json::object({{"run", "true"}}));
  rest.step("b")
      .http(Json::object({{"url", "/process"}}))
      .target("nlp")
      .operation("process")
      .response_schema(Json::object({{"type", "object"}}));
  rest.step("c").wait_approval("Go?");
  same(rest, R"(
name: rest
labels: {team: data}
env: {A: "1"}
max_recovery_attempts: 2
retry_budget: 10
sla: 60
concurrency: {key: k, limit: 1}
targets: {nlp: {url: "http://nlp:8001", operations: {process: {timeout: 60}}}}
retention: {completed: 7d}
steps:
  a: {run: echo, shell: [bash, -e, -c], type: check, tags: [x, y], critical: true, sla: 30, uses: {gpu: 1}, secrets: [token], preflight: {run: "true"}}
  b: {http: {url: /process}, target: nlp, operation: process, response_schema: {type: object}}
  c: {wait: {approval: "Go?"}}
)");

  baton::Workflow flow("flow");
  flow.step("a")
      .task("f")
      .title("A step")
      .queue("gpu")
      .priority(7)
      .concurrency(list({Json::object({{"key", "k"}, {"limit", 2}})}))
      .rate_limit(Json::object({{"key", "r"}, {"limit", 5}, {"per", "1s"}}))
      .fair_key("tenant")
      .cache(Json::object({{"key", "x"}, {"ttl", "1h"}}))
      .estimate(Seconds(30))
      .metadata(Json::object({{"team", "data"}}));
  same(flow, R"(
name: flow
steps:
  a:
    task: f
    title: A step
    queue: gpu
    priority: 7
    concurrency: [{key: k, limit: 2}]
    rate_limit: {key: r, limit: 5, per: 1s}
    fair_key: tenant
    cache: {key: x, ttl: 1h}
    estimate: 30
    metadata: {team: data}
)");
}

// Definitions as people write them, built again by calls of the builder.
TEST_F(Orchestra, the_examples_built_again_are_the_same_versions) {
  made().start().value();
  const auto add = [](baton::Step& step, const Json& fields) {
    for (const auto& [name, value] : *fields.if_object()) step.field(name, value);
  };
  int count = 0;
  for (const auto& folder : std::filesystem::directory_iterator(BATON_EXAMPLES)) {
    std::ifstream file(folder.path() / "workflow.yaml");
    if (!file) continue;
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const auto applied = client().apply(text);
    ASSERT_TRUE(applied) << folder.path() << applied.error().message;
    const Json definition = client().workflow(applied->workflow).value()["definition"];
    baton::Workflow flow(applied->workflow);
    for (const auto& [name, value] : *definition.if_object()) {
      if (name == "inputs") {
        for (const auto& [input, declaration] : *value.if_object()) flow.input(input, declaration);
      } else if (name == "steps" || name == "finally") {
        for (const auto& [step, fields] : *value.if_object())
          add(name == "steps" ? flow.step(step) : flow.last(step), fields);
      } else if (name != "name") {
        flow.field(name, value);
      }
    }
    EXPECT_EQ(client().apply(flow).value().outcome, "unchanged") << folder.path();
    ++count;
  }
  EXPECT_GT(count, 8);
}

// ---- A worker of its own, for an orchestrator that has none of its functions

TEST_F(Orchestra, a_worker_serves_the_same_runs) {
  made().start().value();
  baton::WorkerOptions options;
  options.server = baton::ServerAddress(made().socket_path());
  options.threads = 4;
  options.log = [](std::string_view) {};
  baton::Worker none(options);
  EXPECT_EQ(none.start().error().code, Code::usage);
  baton::Worker worker(options);
  std::atomic<int> calls = 0;
  worker.handle("remote", [&](baton::Context& ctx, int n) {
    ++calls;
    ctx.log("n is " + std::to_string(n));
    return n;
  });
  worker.start().value();
  baton::Workflow flow("many");
  Json items;
  for (int i = 0; i < 500; ++i) items.push_back(i);
  flow.step("each").for_each(items).task("remote").with(baton::item());
  const baton::Run run = client().submit(flow).value();
  EXPECT_EQ(client().result(run.id).value(), items);
  EXPECT_EQ(calls, 500);
  EXPECT_EQ(client().logs(client().tasks(run.id).value().at(7).id).value().substr(0, 5), "n is ");
  const baton::Run late = client().call("later").value();
  worker.handle("later", [] { return 1; });
  EXPECT_EQ(client().result(late.id).value(), Json(1));
  // One that runs until its handler says stop.
  worker.stop().value();
  baton::Worker last(options);
  last.handle("last", [&] { last.request_stop(); });
  const baton::Run stops = client().call("last").value();
  last.run(false).value();
  EXPECT_EQ(client().wait(stops.id).value().status, "completed");
}

}  // namespace
