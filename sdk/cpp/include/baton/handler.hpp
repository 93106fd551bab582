// What may be given to handle(): anything that can be called, with typed input and output.
//
//   worker.handle("double", [](int n) { return 2 * n; });
//   worker.handle("images.label", [](baton::Context& ctx, const Image& image) { … return labels; });
//
// A first parameter of type Context& gets the attempt's context. Of the others: none ignores the input; one
// gets the step's `with` as it is, converted (json.hpp); several get its items, which then must be a list of
// that many. What comes back is the step's result, converted; void is null; a Result<T> that holds an error,
// and every exception, fails the attempt. Input that does not fit fails it with `validation`, for good.
//
// A callable that can only be moved (it holds a std::unique_ptr, say) is fine. Handlers are called by several
// threads at a time, all of them the same object.
#pragma once

#include <baton/context.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace baton::BATON_INLINE v0 {

// The form that all of them get. Throws what the callable throws, and InputError.
using Handler = std::function<Result<Json>(Context&)>;

// The input does not fit the parameters.
class BATON_API InputError : public JsonError {
 public:
  explicit InputError(const JsonError& error);
  ~InputError() override;
};

namespace detail {

template <typename... Parameters>
struct List {};

template <typename T>
struct Signature : Signature<decltype(&T::operator())> {};
template <typename R, typename... P>
struct Signature<R (*)(P...)> {
  using Result = R;
  using Parameters = List<P...>;
};
template <typename R, typename... P>
struct Signature<R(P...)> : Signature<R (*)(P...)> {};
template <typename R, typename C, typename... P>
struct Signature<R (C::*)(P...)> : Signature<R (*)(P...)> {};
template <typename R, typename C, typename... P>
struct Signature<R (C::*)(P...) const> : Signature<R (*)(P...)> {};
template <typename R, typename C, typename... P>
struct Signature<R (C::*)(P...) noexcept> : Signature<R (*)(P...)> {};
template <typename R, typename C, typename... P>
struct Signature<R (C::*)(P...) const noexcept> : Signature<R (*)(P...)> {};
template <typename R, typename... P>
struct Signature<R (*)(P...) noexcept> : Signature<R (*)(P...)> {};

[[noreturn]] BATON_API void wrong_number_of_arguments(const Json& input, std::size_t wanted);

// The arguments, by value; JsonError becomes InputError so that one from within the handler is not
// mistaken.
template <typename... P>
std::tuple<std::remove_cvref_t<P>...> arguments(const Json& input, List<P...>) {
  try {
    if constexpr (sizeof...(P) == 0) {
      return {};
    } else if constexpr (sizeof...(P) == 1) {
      return {input.get<std::remove_cvref_t<P>>()...};
    } else {
      if (input.if_array() == nullptr || input.size() != sizeof...(P))
        wrong_number_of_arguments(input, sizeof...(P));
      std::size_t next = 0;
      const auto item = [&]<typename T>(std::type_identity<T>) {
        const std::size_t place = next++;
        try {
          return input.at(place).get<T>();
        } catch (const JsonError& error) {
          throw error.in(std::to_string(place));
        }
      };
      return {item(std::type_identity<std::remove_cvref_t<P>>{})...};  // from left to right
    }
  } catch (const JsonError& error) {
    throw InputError(error);
  }
}

template <typename T>
struct IsResult : std::false_type {};
template <typename T>
struct IsResult<Result<T>> : std::true_type {};

template <typename Call>
Result<Json> answer(Call call) {
  using R = std::remove_cvref_t<decltype(call())>;
  if constexpr (std::is_void_v<R>) {
    call();
    return Json();
  } else if constexpr (std::same_as<R, Status>) {
    R result = call();
    if (!result) return std::move(result).error();
    return Json();
  } else if constexpr (IsResult<R>::value) {
    R result = call();
    if (!result) return std::move(result).error();
    return Json::of(*result);
  } else {
    return Json::of(call());
  }
}

// One object for all calls and copies of the Handler: so F need not be copied.
template <typename F, typename... P>
Handler adapt(std::shared_ptr<F> function, List<Context&, P...>) {
  return [function = std::move(function)](Context& context) {
    auto values = arguments(context.input(), List<P...>{});
    return answer([&]() -> decltype(auto) {
      return std::apply(
          [&](auto&... value) -> decltype(auto) {
            return std::invoke(*function, context, std::forward<P>(value)...);
          },
          values);
    });
  };
}
template <typename F, typename... P>
Handler adapt(std::shared_ptr<F> function, List<P...>) {
  return [function = std::move(function)](Context& context) {
    auto values = arguments(context.input(), List<P...>{});
    return answer([&]() -> decltype(auto) {
      return std::apply(
          [&](auto&... value) -> decltype(auto) { return std::invoke(*function, std::forward<P>(value)...); },
          values);
    });
  };
}

}  // namespace detail

namespace detail {
// Whether one signature is to be seen.
template <typename F>
concept HasSignature =
    (std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>) || requires { &F::operator(); };
}  // namespace detail

template <typename F>
Handler make_handler(F&& function) {
  using Callable = std::decay_t<F>;
  if constexpr (std::same_as<Callable, Handler>) {
    return std::forward<F>(function);
  } else if constexpr (!detail::HasSignature<Callable>) {
    static_assert(detail::HasSignature<Callable>,
                  "a handler is a function, a lambda or an object with one operator(), and says the types of "
                  "its parameters: no auto, "
                  "no overloads");
  } else {
    return detail::adapt(std::make_shared<Callable>(std::forward<F>(function)),
                         typename detail::Signature<Callable>::Parameters{});
  }
}

}  // namespace baton::BATON_INLINEv0
