// Where things are in a clone: compiled files run from build/, what they read stays in the source folders.
import { fileURLToPath } from 'node:url';

const root = new URL('../../../', import.meta.url);

function path(relative: string): string {
  return fileURLToPath(new URL(relative, root));
}

/** The clone itself. */
export const clone: string = path('.');
/** Source folders of the scenarios: configurations and other files. */
export const scenariosFolder: string = path('interop/scenarios/');
/** Compiled scenarios. */
export const compiledScenariosFolder: string = path('build/interop/scenarios/');
/** Captures and logs of runs that failed. */
export const failuresFolder: string = path('test-output/interop/');
/** Sends random ESP, AH and IKE from random sources. */
export const packetFlood: string = path('dist/linux/testing/packet-flood.js');
/** One end of a tunnel with fixed keys. */
export const tunnelEnd: string = path('dist/linux/testing/tunnel-end.js');
/** Sends what such an end has to seal or to open. */
export const datagramRuns: string = path('dist/linux/testing/datagram-runs.js');
/** A kernel data plane that carries out lines of its standard input. */
export const kernelPlaneEnd: string = path('dist/linux/xfrm/testing/kernel-plane-end.js');
/** The `wayward` command. */
export const waywardCommand: string = path('dist/bundle/main.js');
/** The first process of a User-Mode Linux guest. */
export const guestInit: string = path('interop/kernel/guest-init.sh');
/** What becomes of it where the guest has systemd. */
export const systemdInit: string = path('interop/kernel/systemd-init.sh');
/** As it is packaged. */
export const serviceUnit: string = path('packaging/systemd/wayward.service');
