import { driverContract } from 'nestjs-valkey/testing';

import { describeWithServers } from '../support/index.js';
import { GLOB_PREFIX } from './subjects/prefix.js';
import { single } from './subjects/servers.js';

describeWithServers('[DRV-2] [DRV-5] [DRV-6] [CMD-3] the valkey driver on a single server', () => {
  driverContract('without a prefix', single);
  driverContract('under a prefix with glob characters', { ...single, keyPrefix: GLOB_PREFIX });
});
