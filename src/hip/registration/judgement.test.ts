// What a registrar says to any request, and what a requester believes of any answer (RFC 8003 4.3, 4.4, 4.5).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeHipParameters, type HipParameter, type Hit, RegistrationFailure } from '#wire';
import { HipAssociation, type Standing } from '../association.ts';
import { registrarDefaults } from '../configuration.ts';
import type { HipHostState } from '../host-state.ts';
import { bareHost, barePath } from '../testing/bare-host.ts';
import { testIdentity } from '../testing/identities.ts';
import { registrationLifetimeMs, registrationLifetimeOf } from './lifetime.ts';
import { judgeRequest } from './registrar.ts';
import { type Registration, takeAnswers } from './requester.ts';

const client = '20010020000000000000000000000001' as Hit;

const registrar = bareHost({ registrar: registrarDefaults });

function answersTo(
  state: HipHostState,
  ...requests: (readonly [number, number[]])[]
): readonly HipParameter[] {
  const parameters = requests.map(([lifetime, registrationTypes]) => ({
    type: 'REG_REQUEST' as const,
    lifetime,
    registrationTypes,
  }));
  return judgeRequest(state, client, parameters)!.answers;
}

const unavailable = (...registrationTypes: number[]): HipParameter => ({
  type: 'REG_FAILED',
  failureType: RegistrationFailure.TYPE_UNAVAILABLE,
  registrationTypes,
});

test('several requests in one packet are answered as one, and types that nobody has are unavailable', () => {
  assert.deepEqual(answersTo(registrar, [100, [2, 1]], [110, [1, 3, 2]]), [
    { type: 'REG_RESPONSE', lifetime: 110, registrationTypes: [1] },
    unavailable(2, 3),
  ]);
});

test('a host that is no registrar has no type, and cancels what is not there', () => {
  assert.deepEqual(answersTo(bareHost({}), [100, [1]]), [unavailable(1)]);
  assert.deepEqual(answersTo(bareHost({}), [0, [1]]), [
    { type: 'REG_RESPONSE', lifetime: 0, registrationTypes: [1] },
  ]);
});

test('no request, no answer', () => {
  assert.equal(judgeRequest(registrar, client, [{ type: 'SEQ', updateId: 1 }]), undefined);
});

test('any request has at most one REG_RESPONSE, within the bounds, and few octets of answer', () => {
  const request = fc.tuple(fc.nat({ max: 255 }), fc.array(fc.nat({ max: 255 }), { maxLength: 255 }));
  fc.assert(
    fc.property(fc.array(request, { minLength: 1, maxLength: 4 }), fc.boolean(), (requests, known) => {
      const policy = known ? registrarDefaults : { ...registrarDefaults, clients: [] };
      const answers = answersTo(bareHost({ registrar: policy }), ...requests);
      const responses = answers.filter(({ type }) => type === 'REG_RESPONSE');
      assert.ok(responses.length <= 1);
      for (const response of responses) {
        assert.ok(response.type === 'REG_RESPONSE');
        const { lifetime } = response;
        if (lifetime === 0) continue;
        assert.ok(known);
        assert.ok(lifetime >= registrationLifetimeOf(registrarDefaults.lifetimeMsMin));
        assert.ok(lifetime <= registrationLifetimeOf(registrarDefaults.lifetimeMsMax));
      }
      assert.ok(encodeHipParameters(answers).length <= 48);
    }),
  );
});

function after(registration: Registration | undefined, ...answers: HipParameter[]): Registration | undefined {
  const association = new HipAssociation(testIdentity('p256-a'), client, undefined, barePath);
  const standing = { registration } as Standing;
  takeAnswers(bareHost({}), association, standing, answers);
  return standing.registration;
}

test('any lifetime that is granted counts, also one beyond what was offered', () => {
  const response: HipParameter = { type: 'REG_RESPONSE', lifetime: 200, registrationTypes: [7, 1] };
  assert.equal(after({ state: 'asked' }, response)?.until, registrationLifetimeMs(200));
});

test('nobody is registered who did not ask, or for another service', () => {
  const response: HipParameter = { type: 'REG_RESPONSE', lifetime: 200, registrationTypes: [1] };
  assert.equal(after(undefined, response), undefined);
  assert.deepEqual(after({ state: 'asked' }, { ...response, registrationTypes: [2] }), { state: 'asked' });
});

test('a refusal is asked again later, but for one that is about a certificate', () => {
  for (const [failure, again] of [
    [RegistrationFailure.CREDENTIALS_REQUIRED, true],
    [RegistrationFailure.INSUFFICIENT_RESOURCES, true],
    [RegistrationFailure.INVALID_CERTIFICATE, false],
    [RegistrationFailure.UNKNOWN_CA, false],
  ] as const) {
    const refusal: HipParameter = { type: 'REG_FAILED', failureType: failure, registrationTypes: [1] };
    const { state, nextAt = 0 } = after({ state: 'asked' }, refusal)!;
    assert.equal(state, 'refused');
    assert.equal(nextAt >= 60_000, again);
  }
});
