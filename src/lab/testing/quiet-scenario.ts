// Two gateways on a perfect network, and planted data planes.
import type { ChaosScenario } from '../chaos/random-scenario.ts';
import { randomScenario } from '../chaos/random-scenario.ts';

/** Hosts and flows of a seed whose data planes act at once, without its incidents. They keep no checkpoint. */
export function quietScenario(firstSeed = 1): ChaosScenario {
  for (let seed = firstSeed; ; seed++) {
    const scenario = randomScenario(seed);
    const plain =
      !scenario.terms.nat &&
      scenario.terms.start === 'left' &&
      scenario.hosts.every(({ dataPlaneDelayMs }) => dataPlaneDelayMs === 0);
    const hosts = scenario.hosts.map(({ checkpoint: _, ...host }) => host);
    if (plain) return { ...scenario, hosts, timeline: [] };
  }
}
