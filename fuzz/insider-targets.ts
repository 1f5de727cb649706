// A peer that is who it says, with its keys in the hands of the fuzzer: as the one who begins, and as the one who answers.
import type { CorpusEntry } from './corpus.ts';
import { commands, mutateSteps, playInsider, type StepKind, step } from './insider-script.ts';
import { InsiderWorld } from './insider-world.ts';
import { changesCount } from './payload-chain.ts';
import type { FuzzTarget } from './target.ts';

function seed(name: string, ...steps: readonly (readonly number[])[]): CorpusEntry {
  return { name: `seed-${name}`, octets: Uint8Array.from(steps.flat()) };
}

/** Everything that a peer does in good order, with each kind of change at each place, and what only it could say. */
function seeds(): readonly CorpusEntry[] {
  const all: CorpusEntry[] = [seed('idle', step('settle'), step('wait', 6))];
  for (let change = 0; change < changesCount; change++) {
    all.push(seed(`init-${change}`, step('change', change, 1, 2, 3), step('tell-victim'), step('settle')));
    all.push(
      seed(
        `auth-${change}`,
        step('tell-victim'),
        step('tell-accomplice'),
        step('change', change, 1, 2, 3),
        step('settle'),
      ),
    );
  }
  for (const [index] of commands.entries()) {
    for (const who of ['command-accomplice', 'command-victim'] as const satisfies readonly StepKind[]) {
      all.push(seed(`${who}-${index}`, step('settle'), step(who, index), step('settle')));
      all.push(
        seed(
          `${who}-${index}-changed`,
          step('settle'),
          step(who, index),
          step('change', index, 1),
          step('settle'),
        ),
      );
    }
    for (const [other] of commands.entries()) {
      all.push(
        seed(
          `crossing-${index}-${other}`,
          step('settle'),
          step('command-accomplice', index),
          step('command-victim', other),
          step('tell-victim'),
          step('tell-accomplice'),
          step('settle'),
        ),
      );
    }
    all.push(
      seed(`request-${index}`, step('settle'), step('change', 14, 0, index), step('say-request', 0, index)),
      seed(`answer-${index}`, step('settle'), step('command-victim', index), step('say-answer', 0, index)),
    );
  }
  return all;
}

/** Either end is at other addresses, in good order, with each kind of change, while SAs are replaced, and where nobody is. */
function movingSeeds(): readonly CorpusEntry[] {
  const all: CorpusEntry[] = [];
  for (const who of ['move-accomplice', 'move-victim'] as const satisfies readonly StepKind[]) {
    for (const more of [0, 2]) {
      all.push(seed(`${who}-${more}`, step('settle'), step(who, 1, more), step('settle'), step('wait', 4)));
      all.push(
        seed(`${who}-${more}-back`, step('settle'), step(who, 2, more), step(who, 0, 0), step('settle')),
      );
    }
    for (let change = 0; change < changesCount; change++) {
      all.push(
        seed(
          `${who}-changed-${change}`,
          step('settle'),
          step(who, 1),
          step('change', change, 1),
          step('settle'),
        ),
      );
    }
    for (const [index] of commands.entries()) {
      all.push(
        seed(
          `${who}-crossing-${index}`,
          step('settle'),
          step('command-accomplice', index),
          step('command-victim', index),
          step(who, 1),
          step('settle'),
          step('wait', 5),
          step('settle'),
        ),
      );
    }
    all.push(
      seed(
        `${who}-elsewhere`,
        step('settle'),
        step(who, 1),
        step('fragment', 0, 0, 255),
        step('settle'),
        step('wait', 6),
        step('settle'),
      ),
    );
  }
  return all;
}

const worlds = (['sun', 'moon'] as const).flatMap((side) =>
  [false, true].map((mobile) => ({ side, mobile })),
);

export const insiderTargets: readonly FuzzTarget[] = worlds.map(({ side, mobile }) => ({
  name: `engine-insider${mobile ? '-mobile' : ''}-${side === 'sun' ? 'initiator' : 'responder'}`,
  run(octets) {
    const world = new InsiderWorld(side, mobile);
    world.victim.story.clear();
    const beginner = side === 'sun' ? world.accomplice : world.victim;
    beginner.give({ kind: 'command', id: 1, command: { kind: 'initiate', child: 'net' } });
    world.collect();
    playInsider(world, octets);
    const story = [...world.victim.story].join(', ');
    world.close();
    return story;
  },
  mutate: mutateSteps,
  seeds: () => [...seeds(), ...(mobile ? movingSeeds() : [])],
  // An engine never throws because of what it receives.
  refuses: () => false,
}));
