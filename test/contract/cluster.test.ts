import { driverContract } from 'nestjs-valkey/testing';

import { describeWithServers } from '../support/index.js';
import { GLOB_PREFIX } from './subjects/prefix.js';
import { cluster } from './subjects/servers.js';

describeWithServers('the valkey driver on a cluster', () => {
  driverContract('without a prefix', cluster);
  driverContract('under a prefix with glob characters', { ...cluster, keyPrefix: GLOB_PREFIX });
});
