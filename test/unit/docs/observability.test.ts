import { Registry } from 'prom-client';
import { HOOKS } from '../../../lib/client/interceptors.js';
import { events } from '../../../lib/index.js';
import { PrometheusMetrics } from '../../../lib/prometheus/index.js';
import { page } from './pages.js';

const { text } = page('docs/observability.md');
const rows = text.split('\n').filter((line) => line.startsWith('| `'));

describe('the guide to observability', () => {
  it.each(Object.entries(events))('[OBS-1] has a row for the channel of events.%s', (name, { name: channel }) => {
    expect(rows.filter((row) => row.startsWith(`| \`${channel}\` `) && row.includes(`\`${name}\``))).toHaveLength(1);
  });

  it('[OBS-1] names no channel there is not', () => {
    const channels = new Set<unknown>(Object.values(events).map((channel) => channel.name));
    const named = [...text.matchAll(/`(nestjs-valkey:[\w-]+)`/g)].map(([, name]) => name);
    expect(named.filter((name) => !channels.has(name))).toEqual([]);
  });

  it('[OBS-2] has a row for every metric, with its type, and for no other', () => {
    const registry = new Registry();
    const shown = new PrometheusMetrics({ register: registry });
    const metrics = registry.getMetricsAsArray() as unknown as readonly { name: string }[];
    const documented = rows.flatMap((row) => /^\| `(valkey_\w+)`/.exec(row)?.[1] ?? []);

    expect(documented.toSorted()).toEqual(metrics.map(({ name }) => name).toSorted());
    shown.close();
  });

  it.each(HOOKS)('[HOK-2] names the hook %s', (hook) => {
    expect(text).toContain(`\`${hook}\``);
  });
});
