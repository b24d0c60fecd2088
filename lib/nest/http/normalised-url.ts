const PATH_ALONE = /^\/[^?#]*$/;

/** Path and query of a URL, with the query's parameters in an order that is always the same. */
export function normalised(url: string): string {
  if (PATH_ALONE.test(url)) return url;
  // A proxy may be asked with the whole address.
  const target = /^https?:\/\//i.test(url) ? url.replace(/^https?:\/\/[^/?#]*/i, '') : url;
  const end = target.indexOf('#');
  const whole = end < 0 ? target : target.slice(0, end);
  const mark = whole.indexOf('?');
  if (mark < 0) return whole || '/';
  const path = whole.slice(0, mark) || '/';
  const parameters = whole
    .slice(mark + 1)
    .split('&')
    .filter(Boolean);
  if (parameters.length === 0) return path;
  if (parameters.length === 1) return `${path}?${parameters[0]}`;
  const named = parameters.map((text) => ({ text, name: rootOf(text) }));
  // Stable: parameters of one name keep their order. By code units, which depends on no language.
  named.sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
  return `${path}?${named.map(({ text }) => text).join('&')}`;
}

/** The name that decides whether the order of two parameters can mean something: `a[0]=x` and `a=y` are of one name. */
function rootOf(parameter: string): string {
  const name = (parameter.split('=', 1)[0] as string).replaceAll('+', ' ');
  let decoded = name;
  try {
    decoded = decodeURIComponent(name);
  } catch {
    // Written wrongly: then it stands for itself.
  }
  return decoded.split(/[[.]/, 1)[0] as string;
}
