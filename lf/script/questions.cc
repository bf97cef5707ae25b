#include "lf/script/questions.h"

#include "crypto/hash.h"
#include "lf/script/secp256k1.h"
#include "lf/script/submit_error.h"
#include "lf/script/user_store.h"

namespace synod::lf::script {

using namespace eval;

namespace {

constexpr char kUsers[] = "Daml.Script.Internal.Questions.UserManagement";

template <typename T>
T readable(Result<T> result) {
  if (!result) throw QuestionFailed{std::move(result).error()};
  return std::move(*result);
}

std::vector<PackageNameVersion> packages_in(const Cell& list) {
  std::vector<PackageNameVersion> out;
  for (const Cell& c : ScriptValues::items(list))
    out.push_back({ScriptValues::text_in(ScriptValues::field(c, "name")),
                   ScriptValues::text_in(ScriptValues::field(c, "version"))});
  return out;
}

}  // namespace

template <typename T>
T Questions::answered(Result<T> result) {
  if (!result) {
    std::string name = error_class(result.error(), ledger_.remote());
    throw QuestionFailed{std::move(result).error(), std::move(name)};
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

Cell Questions::answer(const Question& q) {
  Cell out;
  if (q.name == "Submit") return submit(q);
  if (contracts(q, out) || parties_and_time(q, out) || users(q, out) || packages(q, out) || signatures(q, out))
    return out;
  throw QuestionFailed{
      invalid_argument(kUnknownQuestion, "Unknown command " + q.name + " - Version " + std::to_string(q.version))};
}

// (ContractId (), AnyTemplate)
Cell Questions::created(const ActiveContract& contract, const Identifier& as) {
  return v_.tuple({v_.contract_id(contract.contract_id), v_.any_template(as, contract.argument)});
}

// The participant that a question names.
ParticipantName Questions::participant(const Cell& payload) {
  if (auto name = v_.find_field(payload, "participant"))
    if (auto c = v_.optional(*name)) return v_.text_in(*c);
  return std::nullopt;
}

bool Questions::contracts(const Question& q, Cell& out) {
  const Cell& p = q.payload;
  auto parties = [&] {
    PartySet set = v_.parties_in(v_.field(p, "parties"));
    if (set.empty()) malformed_question("a query without parties");
    return set;
  };
  if (q.name == "QueryACS") {
    Identifier type = v_.type_rep_in(v_.field(p, "tplId"));
    std::vector<Cell> found;
    for (const auto& c : answered(ledger_.query(parties(), type))) found.push_back(created(c, type));
    out = v_.list(found);
    return true;
  }
  if (q.name == "QueryContractId") {
    Identifier type = v_.type_rep_in(v_.field(p, "tplId"));
    auto found = answered(ledger_.query_contract(parties(), type, v_.contract_id_in(v_.field(p, "cid"))));
    out = found ? v_.some(v_.tuple({v_.any_template(type, found->argument), v_.type_rep(found->template_id),
                                    v_.text(to_hex(found->blob))}))
                : make_none();
    return true;
  }
  if (q.name == "QueryByKey" || q.name == "QueryContractKey" || q.name == "QueryNByKey") {
    Identifier type = v_.type_rep_in(v_.field(p, "tplId"));
    const bool many = q.name == "QueryNByKey";
    Cell key_cell = v_.find_field(p, "contractKey").value_or(v_.find_field(p, "key").value_or(make_unit()));
    auto [key_template, key] = contract_key(key_cell, !many && q.version == 1);
    auto found = answered(ledger_.query_by_key(parties(), type, key, many ? v_.int_in(v_.field(p, "limit")) : 1));
    std::vector<Cell> cells;
    for (const auto& c : found) cells.push_back(created(c, type));
    out = many ? v_.list(cells) : cells.empty() ? make_none() : v_.some(cells.front());
    return true;
  }
  if (q.name == "QueryInterface" || q.name == "QueryInterfaceContractId") {
    Identifier interface = v_.type_rep_in(v_.field(p, "interfaceId"));
    auto view_cell = [&](const ContractView& v) { return v.view ? v_.some(v_.view(interface, *v.view)) : make_none(); };
    if (q.name == "QueryInterface") {
      std::vector<Cell> found;
      for (const auto& c : answered(ledger_.query_interface(parties(), interface)))
        found.push_back(v_.tuple({v_.contract_id(c.contract_id), view_cell(c)}));
      out = v_.list(found);
    } else {
      auto found =
          answered(ledger_.query_interface_contract(parties(), interface, v_.contract_id_in(v_.field(p, "cid"))));
      out = found ? view_cell(*found) : make_none();
    }
    return true;
  }
  return false;
}

bool Questions::parties_and_time(const Question& q, Cell& out) {
  const Cell& p = q.payload;
  if (q.name == "AllocateParty") {
    std::string name =
        v_.text_in(v_.find_field(p, "requestedName") ? v_.field(p, "requestedName") : v_.field(p, "displayName"));
    std::string hint = v_.text_in(v_.field(p, "idHint"));
    if (!name.empty() && !hint.empty() && name != hint)
      throw QuestionFailed{invalid_argument(
          kPartyHintMismatch, "Requested name '" + name + "' cannot be different from id hint '" + hint + "'")};
    if (hint.empty()) hint = (name.empty() ? "party" : name) + "-" + ledger_.unique_suffix();
    std::vector<std::string> participants;
    if (auto list = v_.find_field(p, "participants"))
      for (const Cell& c : v_.items(*list)) participants.push_back(v_.text_in(c));
    if (auto one = participant(p)) participants.push_back(*one);
    out = v_.party(answered(ledger_.allocate_party(hint, participants)));
    return true;
  }
  if (q.name == "ListKnownParties") {
    std::vector<Cell> cells;
    for (const auto& party : answered(ledger_.known_parties(participant(p)))) cells.push_back(v_.party_details(party));
    out = v_.list(cells);
    return true;
  }
  if (q.name == "GetTime") {
    out = make_integer(Tag::timestamp, answered(ledger_.time()).micros);
    return true;
  }
  if (q.name == "SetTime") {
    answered(ledger_.set_time(Timestamp{v_.int_in(v_.field(p, "time"))}));
    out = make_unit();
    return true;
  }
  if (q.name == "Sleep") {
    answered(ledger_.sleep(Duration{v_.int_in(v_.only_field(v_.field(p, "duration")))}));
    out = make_unit();
    return true;
  }
  return false;
}

// ---- users
// -----------------------------------------------------------------------------------------------------------

Cell Questions::user(const User& user) {
  Cell id = v_.library_record(kUsers, "UserId", {v_.text(user.id)});
  return v_.library_record(kUsers, "User",
                           {id, user.primary_party ? v_.some(v_.party(*user.primary_party)) : make_none()});
}

UserRight Questions::right(const Cell& cell) {
  UserRight out;
  out.kind = v_.constructor(cell);
  Cell argument = v_.argument(cell);
  if (argument.tag == Tag::party) out.party = v_.text_in(argument);
  return out;
}
Cell Questions::right(const UserRight& right) {
  return v_.library_choice(kUsers, "UserRight", right.kind, right.party.empty() ? make_unit() : v_.party(right.party));
}
std::vector<UserRight> Questions::rights_in(const Cell& cell) {
  std::vector<UserRight> out;
  for (const Cell& c : v_.items(cell)) out.push_back(right(c));
  return out;
}
Cell Questions::optional_rights(const std::optional<std::vector<UserRight>>& rights) {
  if (!rights) return make_none();
  std::vector<Cell> cells;
  for (const auto& r : *rights) cells.push_back(right(r));
  return v_.some(v_.list(cells));
}

bool Questions::users(const Question& q, Cell& out) {
  const Cell& p = q.payload;
  auto user_id = [&](const Cell& record) {
    std::string id = v_.text_in(v_.only_field(v_.field(record, "userId")));
    if (auto wrong = invalid_user_id(id)) throw QuestionFailed{invalid_argument(kInvalidUserId, *wrong)};
    return id;
  };
  auto done = [](const std::optional<Unit>& result) { return result; };
  if (q.name == "ValidateUserId") {
    auto wrong = invalid_user_id(v_.text_in(v_.only_field(p)));
    out = wrong ? v_.some(v_.text(*wrong)) : make_none();
  } else if (q.name == "CreateUser") {
    Cell cell = v_.field(p, "user");
    User user{user_id(cell), std::nullopt};
    if (auto primary = v_.optional(v_.field(cell, "primaryParty"))) user.primary_party = v_.text_in(*primary);
    auto created = done(answered(ledger_.create_user(user, rights_in(v_.field(p, "rights")), participant(p))));
    out = created ? v_.some(make_unit()) : make_none();
  } else if (q.name == "GetUser") {
    auto found = answered(ledger_.user(user_id(p), participant(p)));
    out = found ? v_.some(user(*found)) : make_none();
  } else if (q.name == "DeleteUser") {
    out = done(answered(ledger_.delete_user(user_id(p), participant(p)))) ? v_.some(make_unit()) : make_none();
  } else if (q.name == "ListAllUsers") {
    std::vector<Cell> cells;
    for (const auto& u : answered(ledger_.users(participant(p)))) cells.push_back(user(u));
    out = v_.list(cells);
  } else if (q.name == "GrantUserRights") {
    out = optional_rights(answered(ledger_.grant_rights(user_id(p), rights_in(v_.field(p, "rights")), participant(p))));
  } else if (q.name == "RevokeUserRights") {
    auto revoked = answered(ledger_.revoke_rights(user_id(p), rights_in(v_.field(p, "rights")), participant(p)));
    out = optional_rights(revoked);
  } else if (q.name == "ListUserRights") {
    out = optional_rights(answered(ledger_.rights(user_id(p), participant(p))));
  } else {
    return false;
  }
  return true;
}

// ---- packages, signatures
// --------------------------------------------------------------------------------------------

bool Questions::packages(const Question& q, Cell& out) {
  auto named = [&](const std::vector<PackageNameVersion>& packages) {
    std::vector<Cell> cells;
    for (const auto& p : packages)
      cells.push_back(v_.library_record("Daml.Script.Internal.Questions.Packages", "PackageName",
                                        {v_.text(p.name), v_.text(p.version)}));
    return v_.list(cells);
  };
  out = make_unit();
  if (q.name == "VetPackages")
    answered(ledger_.vet(packages_in(v_.field(q.payload, "packages")), participant(q.payload)));
  else if (q.name == "UnvetPackages")
    answered(ledger_.unvet(packages_in(v_.field(q.payload, "packages")), participant(q.payload)));
  else if (q.name == "ListVettedPackages")
    out = named(answered(ledger_.vetted_packages()));
  else if (q.name == "ListAllPackages")
    out = named(answered(ledger_.all_packages()));
  else
    return false;
  return true;
}

bool Questions::signatures(const Question& q, Cell& out) {
  if (q.name == "Secp256k1Sign" || q.name == "Secp256k1WithEcdsaSign") {
    Bytes key = readable(from_hex(v_.text_in(v_.field(q.payload, "privateKey"))));
    Bytes message = readable(from_hex(v_.text_in(v_.field(q.payload, "message"))));
    out = v_.text(to_hex(readable(secp256k1_sign(key, q.name == "Secp256k1Sign" ? crypto::sha256(message) : message))));
    return true;
  }
  if (q.name == "Secp256k1GenerateKeyPair") {
    auto pair = readable(secp256k1_generate());
    out = v_.library_record("Daml.Script.Internal.Questions.Crypto.Text", "Secp256k1KeyPair",
                            {v_.text(to_hex(pair.private_key)), v_.text(to_hex(pair.public_key))});
    return true;
  }
  return false;
}

}  // namespace synod::lf::script
