// HIP hosts in virtual time with a network between them: each packet can be delivered, dropped, held or sent again by hand.
import assert from 'node:assert/strict';
import { type TestHost, type Transit, typeOf } from './test-host.ts';

export abstract class TestNetwork {
  abstract readonly hosts: readonly TestHost[];
  now = 0;

  /** Takes the oldest packet that a host sent. */
  take(from: TestHost): Transit {
    const transit = from.sent.shift();
    assert.ok(transit !== undefined, `${from.name} has sent nothing`);
    return transit;
  }

  /** A packet arrives, unless nobody is at its address. */
  deliver(transit: Transit): void {
    const to = this.hosts.find(
      ({ name, address, further }) =>
        name !== transit.from &&
        (address === transit.path.remote.address || further.has(transit.path.remote.address)),
    );
    if (to === undefined) return;
    const path = { local: transit.path.remote, remote: transit.path.local };
    to.give(this.now, { kind: 'packet', path, octets: transit.octets });
  }

  /** Delivers everything until nobody has anything more to say, unless a filter loses it. */
  settle(pass: (transit: Transit, type: string) => boolean = () => true): void {
    for (let round = 0; round < 200; round++) {
      const moved = this.hosts.flatMap((host) => host.sent.splice(0));
      if (moved.length === 0) return;
      for (const transit of moved) if (pass(transit, typeOf(transit))) this.deliver(transit);
    }
    assert.fail('the hosts never stop talking');
  }

  /** Lets time pass; timers run when they are due. */
  wait(ms: number, pass?: (transit: Transit, type: string) => boolean): void {
    const end = this.now + ms;
    for (let steps = 0; ; steps++) {
      assert.ok(steps < 10_000, 'time does not pass');
      this.settle(pass);
      const due = this.hosts.map(({ host }) => host.deadline()).filter((deadline) => deadline !== undefined);
      this.now = Math.max(this.now, Math.min(end, ...due));
      for (const host of this.hosts) {
        const deadline = host.host.deadline();
        if (deadline !== undefined && deadline <= this.now) host.give(this.now, { kind: 'timeout' });
      }
      this.settle(pass);
      if (this.now >= end) return;
    }
  }
}
