// For tests within a namespace: whether the kernel lets anybody look at unknown SPIs while so many are known.
import { UnknownSpiWatch } from '../unknown-spis/unknown-spi-watch.ts';

const known = Array.from({ length: Number(process.argv[2]) }, (_, i) => 0xc000_0000 + 7_919 * i);
const watch = new UnknownSpiWatch({
  ...{ natTraversalPort: 4500, perSecondMax: 500, knownSpis: () => known, isKnown: () => false },
  warn: (text) => console.log(text),
});
watch.count(0, 0);
if (watch.looking) console.log('looks');
watch.close();
