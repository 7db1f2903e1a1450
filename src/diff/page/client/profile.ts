// Which layers an adapter's update is in.
import { axisX, axisY, dot, gridY, line, text } from '@observablehq/plot';
import type { PageModule } from '../data.ts';
import { chart } from './chart.ts';

/** Which layers an update's energy is in, of the whole adapter's. */
export function layerProfile(modules: readonly PageModule[]): HTMLElement | null {
  const profileOf = (side: 'good' | 'suspect') => {
    const byLayer = new Map<number, number>();
    for (const module of modules)
      if (module.layer >= 0)
        byLayer.set(module.layer, (byLayer.get(module.layer) ?? 0) + (module[side]?.norm ?? 0) ** 2);
    const whole = [...byLayer.values()].reduce((sum, energy) => sum + energy, 0);
    return [...byLayer]
      .sort(([a], [b]) => a - b)
      .map(([layer, energy]) => ({ layer, part: whole === 0 ? 0 : energy / whole }));
  };
  const series = [profileOf('suspect'), profileOf('good')];
  if (series[0]!.length < 2) return null;
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
      y: { zero: true },
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
          line(points, { x: 'layer', y: 'part', stroke: `var(--series-${index})`, strokeWidth: 1.5 }),
          dot(points, {
            x: 'layer',
            y: 'part',
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
