// The control API, as this page uses it.

export class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

async function call(method, path, body) {
  const options = { method };
  if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const response = await fetch(`/control/${path}`, options);
  const answer = await response.json();
  if (!response.ok) throw new Refused(answer.error, answer.message);
  return answer;
}

const query = (params) => {
  const kept = Object.entries(params).filter(([, value]) => value !== undefined && value !== null);
  return kept.length ? `?${new URLSearchParams(kept)}` : "";
};

export const get = (path, params = {}) => call("GET", path + query(params));
export const post = (path, body = {}) => call("POST", path, body);
export const remove = (path) => call("DELETE", path);
