// An OpenID provider for tests: node oidc_provider.mjs MODULES PORT KEYS
// MODULES holds the package `oidc-provider`; KEYS is a file with the keys that it signs with, read again at SIGHUP.
// Whoever logs in is who they say they are; their claims are in PEOPLE. The first of the keys signs.

import { readFileSync } from 'node:fs';
import http from 'node:http';

const [modules, port, keys] = process.argv.slice(2);
const { Provider } = await import(`${modules}/node_modules/oidc-provider/lib/index.js`);
const issuer = `http://127.0.0.1:${port}`;

const PEOPLE = {
  ada: { groups: ['analysts', 'admins'], email: 'ada@example.org', email_verified: true, name: 'Ada' },
  bob: { groups: ['guests'], email: 'ada@example.org', email_verified: false, name: 'Bob' },
};
const claimsOf = (id) => ({ acr: 'urn:example:silver', amr: ['pwd', 'otp'], ...(PEOPLE[id] ?? { groups: [] }) });

function provider() {
  const jwks = JSON.parse(readFileSync(keys));
  const algorithm = jwks.keys[0].alg;
  const common = { redirect_uris: [], response_types: [], id_token_signed_response_alg: algorithm };
  const made = new Provider(issuer, {
    jwks,
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
    clients: [
      {
        ...common,
        client_id: 'rambla-cli',
        token_endpoint_auth_method: 'none',
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
      },
      {
        ...common,
        client_id: 'rambla',
        client_secret: 'to be asked: & told',
        grant_types: ['client_credentials'],
      },
      { ...common, client_id: 'robot', client_secret: 'for-tests-only', grant_types: ['client_credentials'] },
    ],
    clientBasedCORS: () => false,
    conformIdTokenClaims: false,
    claims: { openid: ['sub', 'groups', 'email', 'email_verified', 'name'] },
    scopes: ['openid'],
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...claimsOf(id) }) }),
    extraTokenClaims: (_, token) => claimsOf(token.accountId ?? token.clientId),
    features: {
      devInteractions: { enabled: true },
      deviceFlow: { enabled: true },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'urn:rambla',
        useGrantedResource: () => true,
        getResourceServerInfo: (_, resource) => ({
          scope: '',
          audience: resource === 'urn:other' ? 'other' : 'rambla',
          accessTokenFormat: resource === 'urn:rambla' ? 'jwt' : 'opaque',
          jwt: { sign: { alg: algorithm } },
        }),
      },
    },
  });
  return made.callback();
}

let current = provider();
process.on('SIGHUP', () => { current = provider(); console.log('read the keys'); });
http.createServer((request, response) => current(request, response)).listen(port, '127.0.0.1');
