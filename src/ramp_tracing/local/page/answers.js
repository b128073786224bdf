/** Questions to the receiver. */
export class Locked extends Error {}

export async function ask(path, query = "", { signal } = {}) {
  const answer = await fetch(`api/${path}${query ? `?${query}` : ""}`, { signal, cache: "no-store" });
  if (answer.status === 401) throw new Locked();
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error_v2?.message ?? `the receiver answered ${answer.status}`);
  return body;
}

export async function unlock(key) {
  const answer = await fetch("api/session", { method: "POST", body: key });
  return answer.ok;
}
