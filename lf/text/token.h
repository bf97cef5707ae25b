// The words of LF text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace synod::lf::text {

enum class TokenKind : std::uint8_t {
  end,
  symbol,     // ( ) < > { } [ ] . : , ; * = | || @ \ /\ -> <-
  word,       // identifier or keyword
  quoted,     // '...': a package id, name or version
  text,       // "...", escapes resolved
  number,     // an Int64
  numeric,    // kept as written
  timestamp,  // microseconds in `value`
  date,       // days in `value`
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;
  std::int64_t value = 0;
  std::uint32_t line = 0, column = 0;  // from 1
  bool only_a_name = false;            // a word in backquotes

  bool is(std::string_view symbol) const { return kind == TokenKind::symbol && text == symbol; }
  bool is_word(std::string_view word) const { return kind == TokenKind::word && !only_a_name && text == word; }
};

// The last token is the end. LF_TEXT_ERROR with line and column for what is no token.
Result<std::vector<Token>> tokenize(std::string_view source);

// An error at a place in LF text.
Error text_error(const Token& at, std::string what);

// ISO 8601 as LF text writes it: "2019-12-16" and "2019-12-16T00:00:00.123456Z".
Result<std::int64_t> parse_date(std::string_view text);       // days since 1970
Result<std::int64_t> parse_timestamp(std::string_view text);  // microseconds since 1970

}  // namespace synod::lf::text
