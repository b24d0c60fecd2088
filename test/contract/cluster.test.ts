import { driverContract } from 'nestjs-valkey/testing';

import { describeWithServers } from '../support/index.js';
import { discreetContract } from './subjects/discreet.js';
import { cluster } from './subjects/servers.js';

describeWithServers('[DRV-2] [DRV-5] [DRV-6] [CMD-3] the valkey driver on a cluster', () => {
  driverContract('without a prefix', cluster());
  discreetContract('with all ears open', cluster);
});
