// The process's output: data on stdout, everything else on stderr.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace baton::cli {

struct Style {
  bool colour = false;

  // SGR sequences around a text, or the text alone.
  std::string bold(std::string_view text) const { return wrap("1", text); }
  std::string dim(std::string_view text) const { return wrap("2", text); }
  std::string red(std::string_view text) const { return wrap("31", text); }
  std::string green(std::string_view text) const { return wrap("32", text); }
  std::string yellow(std::string_view text) const { return wrap("33", text); }
  std::string blue(std::string_view text) const { return wrap("34", text); }

 private:
  std::string wrap(std::string_view code, std::string_view text) const;
};

// Knows the terminal. A reader that has gone (a closed pipe, a closed terminal) is no error: what is written
// to it is dropped.
class Console {
 public:
  Console();  // looks at stdout, stderr, NO_COLOR and TERM

  bool out_is_terminal() const { return out_terminal_; }
  bool err_is_terminal() const { return err_terminal_; }
  // Whether stderr can be redrawn.
  bool can_redraw() const { return err_terminal_ && !dumb_; }
  const Style& out_style() const { return out_style_; }
  const Style& err_style() const { return err_style_; }

  // Columns and rows of the terminal at this moment; 80 × 24 where there is none.
  struct Size {
    int columns = 80;
    int rows = 24;
  };
  Size size() const;

  void out(std::string_view text);
  void err(std::string_view text);
  // "error: …" on stderr; `message` may have several lines.
  void error(std::string_view message);
  void note(std::string_view message);  // one line on stderr; nothing if quiet
  void set_quiet() { quiet_ = true; }
  bool quiet() const { return quiet_; }

  // Why stdout could not be written (a full disk), if so.
  const Status& written() const { return written_; }

 private:
  bool out_terminal_ = false;
  bool err_terminal_ = false;
  bool dumb_ = false;
  bool quiet_ = false;
  Style out_style_;
  Style err_style_;
  Status written_;
};

}  // namespace baton::cli
