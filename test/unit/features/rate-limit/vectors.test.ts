import { embeddedPlace } from './place.js';
import type { Place } from './place.js';
import { expectOutcomes, VECTORS } from './vectors.js';

describe('a limiter', () => {
  let place: Place;

  beforeAll(async () => {
    place = await embeddedPlace();
  });
  afterAll(() => place.close());

  it.each(VECTORS.map((vector) => [vector.title, vector] as const))('%s', (_title, vector) =>
    expectOutcomes(place, vector),
  );
});
