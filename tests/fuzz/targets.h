// What is fuzzed: functions that take any bytes. Bad input must give an Error; a crash, a sanitizer's finding, a broken
// round trip (SYNOD_CHECK) or a hang is a bug.
#pragma once

#include <span>

#include "base/bytes.h"

namespace synod::fuzz {

struct Target {
  const char* name;  // of its corpus, too
  void (*run)(ByteView input);
};

std::span<const Target> targets();

// Daml-LF (lf_targets.cc)
void dar(ByteView input);      // a DAR file
void package(ByteView input);  // a package message of LF 2.1 (first byte even) or 2.3: decoded, described, type-checked
void interpreter(ByteView input);  // a package message of any version; if it is well typed, its choices are run, twice
void value(ByteView input);        // a ledger value on the wire
void contract(ByteView input);     // created_event_blob
void transaction(ByteView input);  // a Transaction as stored
void api_value(ByteView input);    // a Ledger API value, for a type that has every shape
// Two package messages of LF 2.1 (first byte even) or 2.3, the first one as long as the next two bytes say: whether
// one may follow the other.
void upgrade(ByteView input);
void text(ByteView input);  // LF text

// The Ledger API (ledger_api_targets.cc)
void event_format(ByteView input);  // what a reader asks for: parsed, and applied to an event

// Canton's wire (wire_targets.cc)
void batch(ByteView input);
void signed_content(ByteView input);
void topology_transaction(ByteView input);
void sealed_batch(ByteView input);
void submission_request(ByteView input);
void sequenced_event(ByteView input);
void envelope_content(ByteView input);
void light_view_tree(ByteView input);
void signed_message(ByteView input);     // confirmation responses and results; stored verdicts
void topology_snapshot(ByteView input);  // as downloaded: decoded, and taken over as a state
void acs_commitment(ByteView input);

// Files and the log (file_targets.cc)
void genesis(ByteView input);           // a genesis file
void onboarding_state(ByteView input);  // of a sequencer that joins: parsed, installed, and opened
void fabric_envelope(ByteView input);
void fabric_block(ByteView input);
void node_file(ByteView input);     // a node's configuration: read, written, and read again
void solo_segment(ByteView input);  // a segment file of the solo engine: opened, read, appended to

}  // namespace synod::fuzz
