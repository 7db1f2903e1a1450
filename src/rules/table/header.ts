// Rules of the header: its size, its JSON, its text.
import { MALFORMED, type Rule, SAFETENSORS_FORMAT, SUPPLY_CHAIN } from '../rule.ts';

export const HEADER = {
  'header/truncated': {
    severity: 'critical',
    title: 'the header runs past the end of the file',
    hint: MALFORMED,
    why: 'A length that the file does not back makes a careless loader read memory that is not the file, or wait for bytes that never come; most often it is a download that broke off.',
    references: ['CVE-2024-23496', SAFETENSORS_FORMAT],
  },
  'header/limit': {
    severity: 'critical',
    title: 'the header is larger or deeper than any loader accepts or any writer makes',
    hint: MALFORMED,
    why: 'A few bytes that ask for gigabytes of memory, or for a deep recursion, bring down every service that loads the file.',
    references: ['safetensors MAX_HEADER_SIZE (100,000,000 bytes)', SUPPLY_CHAIN],
  },
  'header/count': {
    severity: 'critical',
    title: 'a count in the header is more than the rest of the file could hold',
    hint: MALFORMED,
    why: 'Loaders that allocate by a count before they check it overflow their heap or run out of memory.',
    references: ['CVE-2024-23605', 'CVE-2024-21836', 'CVE-2024-21825'],
  },
  'header/start': {
    severity: 'critical',
    title: "the header does not begin with '{'",
    hint: MALFORMED,
    why: 'The format demands the brace so that no file can be safetensors and something else at once; readers differ in whether they insist.',
    references: [SAFETENSORS_FORMAT],
  },
  'header/padding': {
    severity: 'critical',
    title: "the header's JSON is followed by something else than spaces",
    hint: MALFORMED,
    why: 'Whatever follows the JSON is seen by lenient readers only: a second header for some of them, or a place to carry things.',
    references: [SAFETENSORS_FORMAT],
  },
  'header/json': {
    severity: 'critical',
    title: 'the header is not JSON',
    hint: MALFORMED,
    why: 'Parsers repair broken JSON in different ways, so what a scanner sees is not what a loader loads.',
    references: [SAFETENSORS_FORMAT],
  },
  'header/utf8': {
    severity: 'critical',
    title: 'the header, a key or a name is not UTF-8',
    hint: MALFORMED,
    why: 'Readers replace, drop or refuse bytes that are not UTF-8, so two different names become one, or one becomes two.',
    references: [SAFETENSORS_FORMAT],
  },
  'header/surrogate': {
    severity: 'critical',
    title: 'a string of the header has half a surrogate pair, which parsers read differently',
    hint: MALFORMED,
    why: 'Half a pair is kept, replaced or refused depending on the parser, so a name in a review is not the name that is loaded.',
    references: ['RFC 8259, section 8.2'],
  },
  'header/duplicate-key': {
    severity: 'critical',
    title: 'a key occurs twice in one object: loaders differ in which value they take',
    hint: MALFORMED,
    why: 'One file holds two models: a scanner checks the first entry, the loader runs the last.',
    references: ['Trail of Bits TOB-SFTN-7', SAFETENSORS_FORMAT],
  },
  'header/type': {
    severity: 'critical',
    title: 'a value of the header is of the wrong JSON type',
    hint: MALFORMED,
    why: 'Readers that convert silently take another value than strict ones, and nested values are a place to carry things.',
    references: [SAFETENSORS_FORMAT],
  },
  'header/integer': {
    severity: 'critical',
    title: 'a number of the header is not written as a plain non-negative integer',
    hint: MALFORMED,
    why: '4.0, 4e0, -0 and 04 are a size to one parser and an error to another: checks pass in one place and the load differs in the other.',
    references: [SAFETENSORS_FORMAT],
  },
  'header/integer-unsafe': {
    severity: 'critical',
    title: 'an integer of the header is above 2^53 - 1: loaders round or wrap it',
    hint: MALFORMED,
    why: 'Readers that keep numbers as doubles see another offset than readers with 64 bits, and sums of such offsets wrap.',
    references: ['RFC 8259, section 6', 'CVE-2025-53630'],
  },
} as const satisfies Record<string, Rule>;
