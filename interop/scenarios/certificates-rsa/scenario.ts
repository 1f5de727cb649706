// Both sides prove themselves with RSA-2048 certificates of one root.
import { certificateScenario } from '../../harness/certificate-scenario.ts';
import type { Scenario } from '../../harness/scenario.ts';

const scenario: Scenario = certificateScenario('rsa', 'RSA-2048');
export default scenario;
