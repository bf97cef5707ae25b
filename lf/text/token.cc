#include "lf/text/token.h"

#include <array>
#include <charconv>
#include <chrono>
#include <optional>

#include "base/time.h"
#include "lf/archive/wire_reader.h"
#include "lf/numeric_literal.h"

namespace synod::lf::text {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$'; }
bool is_word_part(char c) { return is_word_start(c) || is_digit(c); }

class Lexer {
 public:
  explicit Lexer(std::string_view source) : rest_(source) {}

  Result<std::vector<Token>> run() {
    std::vector<Token> tokens;
    while (true) {
      if (!skip_blanks()) return fail(text_error(here(), "a comment does not end"));
      Token token = here();
      if (rest_.empty()) {
        tokens.push_back(std::move(token));
        return tokens;
      }
      SYNOD_RETURN_IF_ERROR(next(token));
      tokens.push_back(std::move(token));
    }
  }

 private:
  Token here() const {
    Token token;
    token.line = line_;
    token.column = column_;
    return token;
  }

  void advance(std::size_t count) {
    for (char c : rest_.substr(0, count)) {
      column_ = c == '\n' ? 1 : column_ + 1;
      line_ += c == '\n';
    }
    rest_.remove_prefix(count);
  }

  bool skip_blanks() {
    while (true) {
      auto blanks = std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size());
      advance(blanks);
      if (rest_.starts_with("//")) {
        advance(std::min(rest_.find('\n'), rest_.size()));
      } else if (rest_.starts_with("/*")) {
        auto end = rest_.find("*/", 2);
        if (end == std::string_view::npos) return false;
        advance(end + 2);
      } else if (blanks == 0) {
        return true;
      }
    }
  }

  Status next(Token& token) {
    char c = rest_.front();
    if (is_word_start(c)) {
      std::size_t size = 1;
      while (size < rest_.size() && is_word_part(rest_[size])) ++size;
      return take(token, TokenKind::word, size);
    }
    if (c == '`') {  // a name that may be a word of the language
      std::size_t size = 1;
      while (size < rest_.size() && is_word_part(rest_[size])) ++size;
      if (size == 1 || size == rest_.size() || rest_[size] != '`')
        return fail(text_error(token, "a name in backquotes does not end, or is none"));
      token.kind = TokenKind::word;
      token.only_a_name = true;
      token.text = rest_.substr(1, size - 1);
      advance(size + 1);
      return {};
    }
    if (c == '\'') {
      auto end = rest_.find('\'', 1);
      if (end == std::string_view::npos || end == 1)
        return fail(text_error(token, "a quoted name does not end, or is empty"));
      token.kind = TokenKind::quoted;
      token.text = rest_.substr(1, end - 1);
      advance(end + 1);
      return {};
    }
    if (c == '"') return string(token);
    if (is_digit(c) || (c == '-' && rest_.size() > 1 && is_digit(rest_[1]))) return number(token);
    static constexpr std::array<std::string_view, 22> symbols = {"->", "<-", "||", "/\\", "@", "\\", ".", ":",
                                                                 ",",  ";",  "(",  ")",   "<", ">",  "{", "}",
                                                                 "[",  "]",  "*",  "=",   "|", "#"};
    for (auto symbol : symbols) {
      if (rest_.starts_with(symbol)) return take(token, TokenKind::symbol, symbol.size());
    }
    return fail(text_error(token, std::string("unexpected character ") + c));
  }

  Status take(Token& token, TokenKind kind, std::size_t size) {
    token.kind = kind;
    token.text = rest_.substr(0, size);
    advance(size);
    return {};
  }

  Status string(Token& token) {
    token.kind = TokenKind::text;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      char c = rest_[i];
      if (c == '"') {
        advance(i + 1);
        if (!is_utf8(token.text)) return fail(text_error(token, "a text is not UTF-8"));
        return {};
      }
      if (c == '\n') break;
      if (c != '\\') {
        token.text += c;
        continue;
      }
      char escaped = ++i < rest_.size() ? rest_[i] : '\0';
      static constexpr std::string_view from = "nrtbf\"'\\", to = "\n\r\t\b\f\"'\\";
      auto at = from.find(escaped);
      if (at == std::string_view::npos) return fail(text_error(token, "unknown escape in a text"));
      token.text += to[at];
    }
    return fail(text_error(token, "a text does not end"));
  }

  Status number(Token& token) {
    std::size_t size = rest_.front() == '-' ? 1 : 0;
    auto digits = [&] {
      while (size < rest_.size() && is_digit(rest_[size])) ++size;
    };
    digits();
    bool is_date = size == 4 && rest_.size() >= 10 && rest_[4] == '-' && is_digit(rest_[5]) && is_digit(rest_[6]) &&
                   rest_[7] == '-' && is_digit(rest_[8]) && is_digit(rest_[9]);
    if (is_date) {
      if (rest_.size() > 10 && rest_[10] == 'T') {
        auto end = rest_.find('Z');
        if (end == std::string_view::npos) return fail(text_error(token, "a timestamp does not end with Z"));
        auto micros = parse_timestamp(rest_.substr(0, end + 1));
        if (!micros) return fail(text_error(token, micros.error().cause));
        token.value = *micros;
        return take(token, TokenKind::timestamp, end + 1);
      }
      auto days = parse_date(rest_.substr(0, 10));
      if (!days) return fail(text_error(token, days.error().cause));
      token.value = *days;
      return take(token, TokenKind::date, 10);
    }
    if (size < rest_.size() && rest_[size] == '.') {
      ++size;
      digits();
      if (!is_numeric_literal(rest_.substr(0, size))) return fail(text_error(token, "malformed Numeric literal"));
      return take(token, TokenKind::numeric, size);
    }
    auto end = rest_.data() + size;
    auto [stop, error] = std::from_chars(rest_.data(), end, token.value);
    if (error != std::errc() || stop != end) return fail(text_error(token, "a number does not fit 64 bits"));
    return take(token, TokenKind::number, size);
  }

  std::string_view rest_;
  std::uint32_t line_ = 1, column_ = 1;
};

std::optional<int> two_digits(std::string_view text) {
  if (text.size() < 2 || !is_digit(text[0]) || !is_digit(text[1])) return std::nullopt;
  return (text[0] - '0') * 10 + (text[1] - '0');
}

}  // namespace

Error text_error(const Token& at, std::string what) {
  return invalid_argument("LF_TEXT_ERROR", "line " + std::to_string(at.line) + ", column " + std::to_string(at.column) +
                                               ": " + std::move(what));
}

Result<std::vector<Token>> tokenize(std::string_view source) { return Lexer(source).run(); }

Result<std::int64_t> parse_date(std::string_view text) {
  auto malformed_date = [&] { return fail(invalid_argument("LF_TEXT_ERROR", std::string(text) + " is no date")); };
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return malformed_date();
  auto century = two_digits(text), years = two_digits(text.substr(2)), month = two_digits(text.substr(5)),
       day = two_digits(text.substr(8));
  if (!century || !years || !month || !day) return malformed_date();
  std::chrono::year_month_day date{std::chrono::year(*century * 100 + *years),
                                   std::chrono::month(static_cast<unsigned>(*month)),
                                   std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || date.year() < std::chrono::year(1)) return malformed_date();
  return std::chrono::sys_days(date).time_since_epoch().count();
}

Result<std::int64_t> parse_timestamp(std::string_view text) {
  auto malformed_time = [&] { return fail(invalid_argument("LF_TEXT_ERROR", std::string(text) + " is no timestamp")); };
  if (text.size() < 20 || text[10] != 'T' || text[13] != ':' || text[16] != ':' || text.back() != 'Z')
    return malformed_time();
  auto days = parse_date(text.substr(0, 10));
  auto hour = two_digits(text.substr(11)), minute = two_digits(text.substr(14)), second = two_digits(text.substr(17));
  if (!days || !hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 59) return malformed_time();
  std::int64_t micros = 0;
  auto fraction = text.substr(19, text.size() - 20);
  if (!fraction.empty()) {
    if (fraction.front() != '.' || fraction.size() < 2 || fraction.size() > 7) return malformed_time();
    for (std::size_t i = 1; i <= 6; ++i) {
      char c = i < fraction.size() ? fraction[i] : '0';
      if (!is_digit(c)) return malformed_time();
      micros = micros * 10 + (c - '0');
    }
  }
  return ((*days * 24 + *hour) * 60 + *minute) * 60'000'000 + *second * 1'000'000 + micros;
}

}  // namespace synod::lf::text
