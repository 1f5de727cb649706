// A process that takes part in an owner registry until it is killed: `member.js NAME-OF-SOCKET NAME`.
import { noClaims } from '#unknown-spi';
import { OwnerLink } from '../owner-link.ts';

const [, , socketName, name = ''] = process.argv;
const link = new OwnerLink(
  { name, claims: noClaims, blocksWanted: 32 },
  {
    changed: () => process.stdout.write('joined\n'),
    problem: (text) => process.stderr.write(`${text}\n`),
  },
  `\0${socketName}`,
);
link.start();
setInterval(() => undefined, 60_000);
