import { driverContract } from 'nestjs-valkey/testing';

import { describeWithServers } from '../support/index.js';
import { GLOB_PREFIX } from './subjects/prefix.js';
import { cluster } from './subjects/servers.js';

describeWithServers('[DRV-2] [DRV-5] [DRV-6] [CMD-3] the valkey driver on a cluster', () => {
  driverContract('without a prefix', cluster);
  driverContract('under a prefix with glob characters', { ...cluster, keyPrefix: GLOB_PREFIX });
});
