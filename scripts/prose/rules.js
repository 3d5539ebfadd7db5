/**
 * The words and phrases that `lint:prose` rejects, each with its replacement. This list is a floor: text that
 * passes it can still be hard to read.
 *
 * A rule with `opens` is compared with the first words of a sentence that is not a question. All others are
 * compared with the whole text. A space in a pattern stands for any run of white space.
 */
export const RULES = [
  {
    pattern: /(?:What|Who)(?:ever)?\b/,
    opens: true,
    advice: 'begin with the noun, such as "Waiting jobs …" or "A caller that …"',
  },
  {
    pattern: /(?<!\bthere )\b(?:is|are|was|were) no(?! (?:longer|more|less|fewer|different)\b|[-\w])/i,
    advice: 'write "is not a …", "cannot …" or "has no …"',
  },
  {
    pattern: /(?<!\bthere )\b(?:is|are|was|were) none\b(?! of\b)/i,
    advice: 'write "is not one" or "has none"',
  },
  {
    pattern: /\b(?:tell|tells|told|telling)\b/i,
    advice: 'write "return", "report", "show", "say" or "distinguish"',
  },
  { pattern: /\banswers\b/i, advice: 'write "returns", "responds" or "responses"' },
  { pattern: /\banew\b/i, advice: 'write "again"' },
  {
    pattern:
      /(?<!\b(?:left|leav\w+|stay\w*|falls?|falling|fell|lag\w*)\b[^.;]{0,40} )\bbehind\b(?! (?:(?:an?|the|its|this|that|one) )?(?:[-\w]+ )?(?:proxy|proxies|firewall|NAT|load balancer)\b)/i,
    advice: 'write "after" for order in time or place',
  },
  { pattern: /\bbesides\b/i, advice: 'write "also", "except" or "next to"' },
  { pattern: /\bby (?:itself|themselves)\b/i, advice: 'write "automatically", "alone" or "on its own"' },
  { pattern: /\balike\b/i, advice: 'write "the same way", "equal" or "both"' },
  { pattern: /\bso far as\b/i, advice: 'write "until now", "if" or "as far as"' },
  {
    pattern: /\bas (?:bpftool|pahole) (?:prints|shows|writes) (?:it|them)\b/i,
    advice: 'name the version, as in "as bpftool 7.8 prints it"',
  },
];
