// What all tunnels carry, over the last minutes.
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { HostSnapshot } from '../../../src/control/api/index.ts';
import { bitRate } from '../format.ts';
import { onThemeChange } from '../theme.ts';
import { Empty, Panel } from './panel.tsx';

interface Series {
  readonly label: string;
  readonly colour: string;
  readonly values: (host: HostSnapshot) => readonly number[];
}

const inbound: Series['values'] = ({ traffic }) => traffic.inboundBytesPerSecond;
const outbound: Series['values'] = ({ traffic }) => traffic.outboundBytesPerSecond;

/** One host: received and sent. Several: what each receives. */
function seriesOf(hosts: readonly HostSnapshot[]): readonly (Series & { readonly host: HostSnapshot })[] {
  const [first] = hosts;
  if (first === undefined) return [];
  if (hosts.length === 1) {
    return [
      { host: first, label: 'received', colour: '--series-1', values: inbound },
      { host: first, label: 'sent', colour: '--series-2', values: outbound },
    ];
  }
  return hosts.slice(0, 2).map((host, i) => ({
    host,
    label: `received by ${host.name}`,
    colour: `--series-${i + 1}`,
    values: inbound,
  }));
}

const secondsShown = 90;
const stepMs = 400;

/** Each series on one common grid of times, in bits per second. */
function dataOf(hosts: readonly HostSnapshot[], nowMs: number): uPlot.AlignedData {
  const steps = (secondsShown * 1_000) / stepMs;
  const times = Array.from({ length: steps + 1 }, (_, i) => (nowMs - (steps - i) * stepMs) / 1_000);
  const rows = seriesOf(hosts).map(({ host, values }) => {
    const { sampleMs, endMs } = host.traffic;
    const samples = values(host);
    return times.map((time) => {
      const back = Math.round((endMs - time * 1_000) / sampleMs);
      if (back < 0) return host.state === 'down' ? 0 : (samples.at(-1) ?? 0) * 8;
      const sample = samples[samples.length - 1 - back];
      return sample === undefined ? null : sample * 8;
    });
  });
  return [times, ...rows];
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function optionsFor(hosts: readonly HostSnapshot[], width: number): uPlot.Options {
  const font = `11px ${colour('--font')}`;
  const axis: uPlot.Axis = {
    stroke: colour('--muted'),
    font,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height: 170,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 24, 0, 0],
    scales: { x: { time: true }, y: { range: (_plot, _min, max) => [0, Math.max(1_000, max * 1.15)] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 22,
        space: 90,
        values: (_plot, times) =>
          times.map((time) => new Date(time * 1_000).toLocaleTimeString('en-GB', { hour12: false })),
      },
      { ...axis, size: 74, space: 32, values: (_plot, values) => values.map((value) => bitRate(value / 8)) },
    ],
    series: [
      {},
      ...seriesOf(hosts).map(({ label, colour: name }) => ({
        label,
        stroke: colour(name),
        width: 2,
        fill: `color-mix(in srgb, ${colour(name)} 12%, transparent)`,
        points: { show: false },
        spanGaps: false,
      })),
    ],
  };
}

function Chart({ hosts }: { hosts: readonly HostSnapshot[] }) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const latest = useRef(hosts);
  latest.current = hosts;
  const kind = hosts.map(({ name }) => name).join(' ');

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const make = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(
        optionsFor(latest.current, element.clientWidth),
        dataOf(latest.current, Date.now()),
        element,
      );
    };
    make();
    const stopListening = onThemeChange(make);
    const sizes = new ResizeObserver(() => {
      plot.current?.setSize({ width: element.clientWidth, height: 170 });
    });
    sizes.observe(element);
    return () => {
      stopListening();
      sizes.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
    // Made anew when hosts come or go, not with each of their snapshots.
  }, [kind]);

  useEffect(() => {
    plot.current?.setData(
      dataOf(hosts, Math.max(...hosts.map(({ traffic }) => traffic.endMs), Date.now() - 1_000)),
    );
  }, [hosts]);

  const said = seriesOf(hosts)
    .map(({ host, label, values }) => `${label}: ${bitRate(values(host).at(-1) ?? 0)}`)
    .join('; ');
  return <div class="chart" ref={place} role="img" aria-label={`Traffic over the last minutes. ${said}`} />;
}

export function TrafficPanel({ hosts }: { hosts: readonly HostSnapshot[] }) {
  const series = seriesOf(hosts);
  return (
    <Panel
      id="traffic"
      title="Traffic"
      note={
        <span class="legend">
          {series.map(({ label, colour: name, host, values }) => (
            <span key={label}>
              <i class={`key ${name.slice(2)}`} aria-hidden="true" />
              {label} <b>{bitRate(host.state === 'down' ? 0 : (values(host).at(-1) ?? 0))}</b>
            </span>
          ))}
        </span>
      }
    >
      {hosts.length === 0 ? <Empty>No host yet.</Empty> : <Chart hosts={hosts} />}
    </Panel>
  );
}
