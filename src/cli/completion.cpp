#include "cli/completion.hpp"

#include <map>
#include <vector>

#include "spec/help.hpp"

namespace baton::cli {
namespace {

// A command as completion sees it: the words that lead to it and what may follow.
struct Entry {
  std::string path;  // "runs list"; "" = the program itself
  std::vector<const CLI::App*> commands;
  std::vector<const CLI::Option*> flags;
  bool takes_file = false;
};

void collect(const CLI::App& app, const std::string& path, std::vector<Entry>& out) {
  Entry entry{path, app.get_subcommands({}), {}, false};
  std::erase_if(entry.commands,
                [](const CLI::App* command) { return command->get_group().empty(); });  // hidden
  for (const CLI::Option* option : app.get_options()) {
    if (option->nonpositional()) {
      entry.flags.push_back(option);
    } else if (option->get_type_name() == "FILE") {
      entry.takes_file = true;
    }
  }
  out.push_back(entry);
  for (const CLI::App* command : entry.commands) {
    collect(*command, path.empty() ? command->get_name() : path + ' ' + command->get_name(), out);
  }
}

std::vector<Entry> entries_of(const CLI::App& app) {
  std::vector<Entry> entries;
  collect(app, "", entries);
  return entries;
}

std::string words_of(const Entry& entry) {
  std::string words;
  for (const CLI::App* command : entry.commands) words += command->get_name() + ' ';
  for (const CLI::Option* flag : entry.flags) {
    for (const std::string& name : flag->get_lnames()) words += "--" + name + ' ';
  }
  if (!words.empty()) words.pop_back();
  return words;
}

bool takes_file(const CLI::Option& flag) {
  return flag.get_type_name() == "FILE" || flag.get_type_name() == "DIR";
}

// What may stand behind a flag, where that is a list; see the type names of the flags.
std::string choices_of(const CLI::Option& flag) {
  if (flag.get_type_name() == "FORM") return "table json jsonl yaml";
  if (flag.get_type_name() == "FORMAT") return "text mermaid dot json";
  if (flag.get_type_name() != "PATH") return "";
  std::string paths;
  for (const std::string& path : spec::field_paths()) paths += (paths.empty() ? "" : " ") + path;
  return paths;
}

// A branch of the shell's `case` for each flag with choices: `begin`, the choices, `end`. All commands mean
// the same by a flag of that name.
std::string cases_of_choices(const std::vector<Entry>& entries, std::string_view begin,
                             std::string_view end) {
  std::map<std::string, std::string> choices;  // by the pattern of the case
  for (const Entry& entry : entries) {
    for (const CLI::Option* flag : entry.flags) {
      const std::string list = choices_of(*flag);
      if (list.empty()) continue;
      std::string pattern;
      for (const std::string& name : flag->get_lnames()) pattern += (pattern.empty() ? "--" : "|--") + name;
      for (const std::string& name : flag->get_snames()) pattern += "|-" + name;
      choices[pattern] = list;
    }
  }
  std::string out;
  for (const auto& [pattern, list] : choices) {
    out += "    " + pattern + ") " + std::string(begin) + list + std::string(end) + "\n";
  }
  return out;
}

std::string shell_word(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + '\'';
}

std::string bash(const CLI::App& app) {
  std::string cases;
  std::string all;
  for (const Entry& entry : entries_of(app)) {
    if (!entry.path.empty()) all += " " + shell_word(entry.path);
    cases += "    " + shell_word(entry.path) + ") words=" + shell_word(words_of(entry)) +
             (entry.takes_file ? " files=1" : "") + " ;;\n";
  }
  return R"(# bash completion for baton
_baton() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} path='' word words='' files=''
  local known=()" +
         all + R"()
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    local candidate="${path:+$path }$word" entry
    for entry in "${known[@]}"; do
      if [ "$entry" = "$candidate" ]; then path=$candidate; fi
    done
  done
  case "$previous" in
)" + cases_of_choices(entries_of(app), "COMPREPLY=($(compgen -W '", "' -- \"$current\")); return ;;") +
         R"(    --data|--config|--input-file|--vars) compopt -o default; COMPREPLY=(); return ;;
  esac
  case "$path" in
)" + cases +
         R"(  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [ "$path" = completion ]; then COMPREPLY+=($(compgen -W 'bash zsh fish' -- "$current")); fi
  if [ -n "$files" ] && [ "${#COMPREPLY[@]}" -eq 0 ]; then compopt -o default; fi
}
complete -F _baton baton
)";
}

std::string zsh(const CLI::App& app) {
  std::string cases;
  for (const Entry& entry : entries_of(app)) {
    cases += "    " + shell_word(entry.path) + ")\n";
    cases += "      choices=(";
    for (const CLI::App* command : entry.commands) {
      cases += "\n        " + shell_word(command->get_name() + ":" + command->get_description());
    }
    for (const CLI::Option* flag : entry.flags) {
      for (const std::string& name : flag->get_lnames()) {
        cases += "\n        " + shell_word("--" + name + ":" + flag->get_description());
      }
    }
    cases += "\n      )\n";
    if (entry.takes_file) cases += "      files=1\n";
    cases += "      ;;\n";
  }
  std::string all;
  for (const Entry& entry : entries_of(app)) {
    if (!entry.path.empty()) all += " " + shell_word(entry.path);
  }
  return R"(#compdef baton
# zsh completion for baton
_baton() {
  local command word candidate files previous=${words[CURRENT-1]}
  local -a known choices
  known=()" +
         all + R"()
  for word in ${words[2,CURRENT-1]}; do
    candidate="${command:+$command }$word"
    if (( ${known[(Ie)$candidate]} )); then command=$candidate; fi
  done
  case $previous in
)" + cases_of_choices(entries_of(app), "compadd -- ", "; return ;;") +
         R"(    --data|--config|--input-file|--vars) _files; return ;;
  esac
  case $command in
)" + cases +
         R"(  esac
  if [[ $command = completion ]]; then compadd bash zsh fish; fi
  _describe command choices
  if [[ -n $files ]]; then _files; fi
}
# Found by name in $fpath, this file is the function; read with `source`, it only defines it.
if [[ ${funcstack[1]} = _baton ]]; then _baton "$@"; else compdef _baton baton; fi
)";
}

std::string fish(const CLI::App& app) {
  std::string out = "# fish completion for baton\ncomplete -c baton -f\n";
  for (const Entry& entry : entries_of(app)) {
    std::string when = "__fish_use_subcommand";
    if (!entry.path.empty()) {
      when.clear();
      std::string_view rest = entry.path;
      while (!rest.empty()) {
        const std::string_view word = rest.substr(0, rest.find(' '));
        rest.remove_prefix(std::min(rest.size(), word.size() + 1));
        if (!when.empty()) when += "; and ";
        when += "__fish_seen_subcommand_from " + std::string(word);
      }
      if (!entry.commands.empty()) when += "; and not __fish_seen_subcommand_from";
      for (const CLI::App* command : entry.commands) when += ' ' + command->get_name();
    }
    const std::string line = "complete -c baton -n " + shell_word(when);
    for (const CLI::App* command : entry.commands) {
      out += line + " -a " + shell_word(command->get_name()) + " -d " +
             shell_word(command->get_description()) + '\n';
    }
    for (const CLI::Option* flag : entry.flags) {
      for (const std::string& name : flag->get_lnames()) {
        out += line + " -l " + shell_word(name) + " -d " + shell_word(flag->get_description());
        const std::string choices = choices_of(*flag);
        if (!choices.empty()) {
          out += " -x -a " + shell_word(choices);
        } else if (takes_file(*flag)) {
          out += " -r -F";
        } else if (flag->get_items_expected_max() > 0) {
          out += " -x";
        }
        out += '\n';
      }
    }
    if (entry.takes_file) out += line + " -F\n";
    if (entry.path == "completion") out += line + " -a 'bash zsh fish'\n";
  }
  return out;
}

}  // namespace

std::string completion_script(const CLI::App& app, std::string_view shell) {
  if (shell == "bash") return bash(app);
  return shell == "zsh" ? zsh(app) : fish(app);
}

}  // namespace baton::cli
