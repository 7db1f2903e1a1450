// Letters of other scripts that look like ASCII ones: `lm_heаd` with a Cyrillic а is another tensor than `lm_head`. A name in
// Cyrillic or Greek is honest; one whose words turn into ASCII when the look-alikes are replaced is not.

/** Whether a word of the name is ASCII to the eye and not in fact. */
export function isDisguised(name: string): boolean {
  if (!NOT_ASCII.test(name)) return false;
  return name.split(BETWEEN_WORDS).some((word) => {
    // One Greek letter alone is a symbol of physics.
    return word.length > 1 && NOT_ASCII.test(word) && !NOT_ASCII.test(skeletonOf(word));
  });
}

/** The name with every look-alike replaced by the ASCII letter it looks like. */
export function skeletonOf(name: string): string {
  let skeleton = '';
  for (const character of name) skeleton += LOOK_ALIKES.get(character) ?? character;
  return skeleton;
}

const NOT_ASCII = /[^\p{ASCII}]/u;
const BETWEEN_WORDS = /[^\p{L}\p{M}]/u;

// Cyrillic small and capital, Greek small and capital, Armenian.
const PAIRS = [
  'аa еe оo рp сc уy хx іi јj ѕs ԁd һh ӏl ԛq ԝw ɡg',
  'АA ВB ЕE КK МM НH ОO РP СC ТT УY ХX ІI ЈJ ЅS ԌG ԜW',
  'οo νv ιi υu',
  'ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX',
  'ոn սu օo հh ցg զq',
];

const LOOK_ALIKES: ReadonlyMap<string, string> = new Map(
  PAIRS.join(' ')
    .split(' ')
    .filter((pair) => pair.length === 2)
    .map(([from, to]) => [from!, to!] as const),
);
