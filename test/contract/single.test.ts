import { driverContract } from 'nestjs-valkey/testing';

import { describeWithServers } from '../support/index.js';
import { discreetContract } from './subjects/discreet.js';
import { single } from './subjects/servers.js';

describeWithServers('[DRV-2] [DRV-5] [DRV-6] [CMD-3] the valkey driver on a single server', () => {
  driverContract('without a prefix', single());
  discreetContract('with all ears open', single);
});
