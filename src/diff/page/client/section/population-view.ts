// Where the suspect stands among known-good adapters.
import { axisX, axisY, dot, plot, ruleX } from '@observablehq/plot';
import { counted, grouped } from '../../../../document/text/quantity.ts';
import type { PagePopulation } from '../../contract.ts';
import { framed, tick } from '../part/chart.ts';
import { element } from '../part/element.ts';
import { figure } from '../part/figure.ts';

/** Iglewicz and Hoaglin: |z| above 3.5 is listed as far out. */
const FAR = 3.5;

export function populationOf({
  count,
  rank,
  pValue,
  adjusted,
  reason,
  statistics,
}: PagePopulation): HTMLElement {
  const good = counted(count, 'known-good adapter');
  const title =
    rank === null
      ? `Not ranked among ${good}`
      : `Among ${good}: rank ${grouped(rank)} of ${grouped(count + 1)}, 1 being the oddest`;
  const several = adjusted === null ? '' : ` Over all suspects (Benjamini-Hochberg): ${figure(adjusted)}.`;
  const verdict =
    pValue === null
      ? `No p-value: ${reason ?? 'no reason was given'}.`
      : `p = ${figure(pValue)}, conformal, from n = ${grouped(count)}; no smaller one than ${figure(1 / (count + 1))} is possible.${several}`;
  return element(
    'div',
    { class: 'population' },
    element('h3', {}, title),
    element('p', {}, verdict),
    rank === null ? null : element('p', { class: 'told' }, NO_PROOF),
    statistics.length === 0 ? null : deviations(statistics),
  );
}

const NO_PROOF = 'A rank is no proof: of n + 1 ordinary adapters, one is the oddest.';

function deviations(statistics: PagePopulation['statistics']): HTMLElement {
  const far = Math.max(FAR + 1, ...statistics.map(({ robustZ }) => Math.abs(robustZ ?? 0)));
  const drawing = plot({
    width: 1084,
    height: 52 + 20 * statistics.length,
    marginLeft: 24 + 6.2 * Math.max(...statistics.map(({ name: called }) => called.length)),
    marginTop: 8,
    marginBottom: 36,
    x: { domain: [-far, far] },
    y: { domain: statistics.map((_, index) => index) },
    marks: [
      axisY({ label: null, tickSize: 0, tickFormat: (index: number) => statistics[index]?.name ?? '' }),
      axisX({ tickSize: 0, label: 'robust z', labelArrow: 'none', tickFormat: tick }),
      ruleX([0], { strokeOpacity: 0.4 }),
      ruleX([-FAR, FAR], { strokeDasharray: '2 3' }),
      dot(
        statistics.filter(({ robustZ }) => robustZ !== null),
        {
          x: 'robustZ',
          y: (one: PagePopulation['statistics'][number]) => statistics.indexOf(one),
          fill: 'var(--series-0)',
          r: 4,
        },
      ),
    ],
  });
  drawing.setAttribute('role', 'img');
  drawing.setAttribute(
    'aria-label',
    statistics.map(({ name: called, robustZ }) => `${called}: ${figure(robustZ)}`).join('; '),
  );
  return framed('Deviation from the population', 'dashed: |z| = 3.5', drawing);
}
