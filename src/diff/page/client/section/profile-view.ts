// Which layers an adapter's update is in.
import { axisX, axisY, dot, gridY, line, text } from '@observablehq/plot';
import type { PageAdapterSide } from '../../contract.ts';
import { chart } from '../part/chart.ts';

type Layers = PageAdapterSide['layers'];

/** Which layers an update's energy is in, of the whole adapter's. */
export function layerProfile(good: Layers, suspect: Layers): HTMLElement | null {
  const series = [suspect, good];
  if (suspect.length < 2) return null;
  const most = Math.max(...series.flat().map(({ share }) => share ?? 0));
  return chart(
    'Profile over layers',
    'Share of the energy of the update in each layer, suspect and good',
    'share of ‖ΔW‖² in each layer',
    {
      width: 1084,
      height: 170,
      marginLeft: 52,
      marginTop: 16,
      marginBottom: 36,
      x: { inset: 8 },
      y: { domain: [0, 1.4 * most] },
      marks: [
        gridY({ ticks: 4 }),
        axisY({
          ticks: 4,
          tickSize: 0,
          label: null,
          tickFormat: (part: number) => `${Number((100 * part).toPrecision(3))} %`,
        }),
        axisX({
          tickSize: 0,
          label: 'layer',
          labelArrow: 'none',
          interval: 1,
          tickSpacing: 28,
          tickFormat: String,
        }),
        series.map((points, index) => [
          line(points, { x: 'layer', y: 'share', stroke: `var(--series-${index})`, strokeWidth: 1.5 }),
          dot(points, {
            x: 'layer',
            y: 'share',
            fill: `var(--series-${index})`,
            symbol: index === 0 ? 'circle' : 'square',
            r: 3,
          }),
          text([index === 0 ? '● suspect' : '■ good'], {
            text: (label: string) => label,
            frameAnchor: 'top-left',
            dx: 8,
            dy: 13 * index,
            fill: `var(--series-${index})`,
          }),
        ]),
      ],
    },
  );
}
