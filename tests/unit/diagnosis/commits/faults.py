"""Faults by the commits that cause them, and incidents that no commit causes."""

from __future__ import annotations

from bot.diagnosis.commits.case import ChangeCase, SpanRecord, StatusLine
from tests.unit.diagnosis.commits.incidents import at, commit, complaints, decoys, incident, lures, series

CULPRITS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "a check for nothing is dropped": (
        "orders/coupon.go",
        (
            "-    if basket.Coupon == nil {\n-        return price, nil\n-    }\n"
            "     return price - basket.Coupon.Amount, nil\n"
        ),
        ("panic: nil pointer dereference in basket.Coupon.Amount",),
    ),
    "a query a row instead of one for all": (
        "orders/lines.py",
        (
            "-    rows = db.query('SELECT * FROM order_lines WHERE order_id = ANY(:ids)', ids)\n"
            "+    rows = []\n+    for one in ids:\n+        rows.append(db.query('SELECT * FROM order_lines WHERE order_id = :id', one))\n"
        ),
        ("slow request: 412 queries on order_lines", "statement timeout on order_lines"),
    ),
    "less memory": (
        "deploy/orders/values.yaml",
        "   resources:\n     limits:\n-      memory: 512Mi\n+      memory: 96Mi\n",
        ("container orders OOMKilled: memory limit exceeded",),
    ),
    "the connection is no longer given back": (
        "orders/store.go",
        "     rows, err := db.Query(q)\n     if err != nil { return err }\n-    defer rows.Close()\n",
        ("too many open connections: query waits for a free connection", "rows leaked"),
    ),
    "another name of a field": (
        "orders/events.py",
        (
            '-    payload = {"order_id": order.id, "amount": order.amount}\n'
            '+    payload = {"orderId": order.id, "amount": order.amount}\n'
        ),
        ("KeyError: 'order_id' while reading payload",),
    ),
    "an address that does not exist": (
        "orders/config.yaml",
        '-  ledger_url: "http://ledger.internal:8080"\n+  ledger_url: "http://ledger-v2.internal:8080"\n',
        ("connect to ledger-v2.internal:8080: connection refused",),
    ),
    "an index is dropped": (
        "migrations/0042_cleanup.sql",
        "+DROP INDEX orders_by_customer;\n",
        ("statement timeout: seq scan on orders by customer", "canceling statement due to statement timeout"),
    ),
    "an expensive pattern": (
        "orders/validate.py",
        '-EMAIL = re.compile(r"[^@]+@[^@]+")\n+EMAIL = re.compile(r"^([a-zA-Z0-9]+)*@([a-z]+)*$")\n',
        ("worker blocked 30 s in validate email", "request timed out validating email"),
    ),
    "a condition the wrong way round": (
        "orders/stock.go",
        "-    if stock.Available >= line.Quantity {\n+    if stock.Available <= line.Quantity {\n",
        ("reservation refused: stock available 40, quantity 2",),
    ),
    "the audience of tokens changes": (
        "orders/auth.py",
        '-    audience = "orders-api"\n+    audience = "orders"\n',
        ("401 invalid token: audience orders-api not accepted",),
    ),
    "no cache any more": (
        "orders/prices.py",
        (
            "-    cached = cache.get(sku)\n-    if cached is not None:\n-        return cached\n-    price = pricing.fetch(sku)\n"
            "-    cache.set(sku, price, ttl=60)\n-    return price\n+    return pricing.fetch(sku)\n"
        ),
        ("pricing fetch rejected: too many requests for sku",),
    ),
    "impatient retries": (
        "pkg/retry/policy.go",
        (
            "-const maxAttempts = 2\n+const maxAttempts = 20\n-const backoff = 500 * time.Millisecond\n"
            "+const backoff = 5 * time.Millisecond\n"
        ),
        ("upstream overloaded: retry attempt 17 failed", "retry budget used up"),
    ),
    "fewer workers": (
        "orders/worker.toml",
        "-workers = 16\n+workers = 2\n",
        ("queue full: all 2 workers busy", "job waits for a worker"),
    ),
    "a column that is not there yet": (
        "orders/repository.py",
        '-    "SELECT id, total FROM purchases"\n+    "SELECT id, total, gift_note FROM purchases"\n',
        ('column "gift_note" does not exist',),
    ),
}


MORE: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "slower than the broker allows": (
        "consumer/config.properties",
        "-max.poll.records=500\n+max.poll.records=5000\n-max.poll.interval.ms=300000\n+max.poll.interval.ms=30000\n",
        ("consumer left group: max poll interval exceeded", "rebalance in progress"),
    ),
    "a lower limit of the rate": (
        "gateway/limits.yaml",
        "   orders:\n-    requests_per_second: 500\n+    requests_per_second: 50\n",
        ("429 too many requests: limit 50/s",),
    ),
    "stricter than the callers": (
        "orders/decode.go",
        "     dec := json.NewDecoder(r)\n+    dec.DisallowUnknownFields()\n",
        ('json: unknown field "giftWrap"',),
    ),
    "a lock is dropped": (
        "orders/cache.go",
        "-    s.mu.RLock()\n-    defer s.mu.RUnlock()\n     return s.items[id]\n",
        ("fatal error: concurrent map read and map write",),
    ),
    "another header": (
        "orders/client.ts",
        '-    headers: { "X-Api-Key": key },\n+    headers: { "Authorization": `Bearer ${key}` },\n',
        ("401 unauthorized: missing X-Api-Key",),
    ),
    "waits for what was queued": (
        "orders/notify.py",
        '-    queue.publish("mail", message)\n+    smtp.send(message)\n',
        ("request timed out in smtp.send",),
    ),
    "another name of a variable": (
        "deploy/orders.yaml",
        "-        - name: DATABASE_URL\n+        - name: DB_URL\n",
        ("KeyError: DATABASE_URL is not set",),
    ),
    "rows are locked": (
        "orders/transfer.sql",
        "-SELECT * FROM accounts WHERE id = $1\n+SELECT * FROM accounts WHERE id = $1 FOR UPDATE\n",
        ("deadlock detected on accounts", "lock timeout on accounts"),
    ),
    "a newer protocol only": (
        "orders/http.go",
        "-    MinVersion: tls.VersionTLS12,\n+    MinVersion: tls.VersionTLS13,\n",
        ("remote error: tls: protocol version not supported",),
    ),
    "a cache that forgets at once": (
        "orders/cache.yaml",
        "-price_ttl: 10m\n+price_ttl: 1s\n",
        ("pricing overloaded: price lookups shed",),
    ),
    "an impatient probe of liveness": (
        "deploy/orders.yaml",
        "   livenessProbe:\n-    timeoutSeconds: 5\n+    timeoutSeconds: 1\n-    failureThreshold: 6\n+    failureThreshold: 1\n",
        ("Liveness probe failed: context deadline exceeded", "container orders restarting"),
    ),
    "less room for a number": (
        "orders/id.java",
        "-    private long orderId;\n+    private int orderId;\n",
        ("NumberFormatException: value out of range for orderId 4294967301",),
    ),
    "a session that is no longer closed": (
        "orders/session.go",
        "-    defer span.End()\n-    defer session.Close()\n+    defer span.End()\n",
        ("too many open sessions",),
    ),
    "a check turned round": (
        "orders/auth.go",
        "-    if !user.Active {\n+    if user.Active {\n",
        ("user is not active: 403 forbidden",),
    ),
    "a topic that does not exist": (
        "orders/topics.ts",
        "-  topic: 'orders.created.v1',\n+  topic: 'orders.created.v2',\n",
        ("UNKNOWN_TOPIC_OR_PARTITION: orders.created.v2",),
    ),
    "a column has another name": (
        "migrations/12.sql",
        "+ALTER TABLE orders RENAME COLUMN total TO total_cents;\n",
        ("column orders.total does not exist",),
    ),
    "a tenth of the processor": (
        "charts/orders/values.yaml",
        '   limits:\n-    cpu: "2"\n+    cpu: 200m\n',
        ("request slow: cpu throttled",),
    ),
    "what is packed is not unpacked": (
        "orders/client.py",
        "-    return json.loads(gzip.decompress(body))\n+    return json.loads(body)\n",
        ("UnicodeDecodeError: 'utf-8' codec can't decode byte 0x8b in json.loads",),
    ),
    "divided by nothing": (
        "orders/pricing.py",
        "-    return price * quantity\n+    return price * quantity / discount\n",
        ("ZeroDivisionError: division by zero in pricing",),
    ),
    "written to the disk at once": (
        "orders/store.yaml",
        "-sync_interval_ms: 1000\n+sync_interval_ms: 1\n",
        ("write slow: fsync took 90 ms",),
    ),
    "another major version of a library": (
        "package.json",
        '-    "pg": "^8.11.0",\n+    "pg": "^9.0.0",\n',
        ("TypeError: pg.Pool.query is not a function",),
    ),
    "a time without its zone": (
        "orders/slot.py",
        "-    now = datetime.now(tz=UTC)\n+    now = datetime.now()\n",
        ("TypeError: can't compare offset-naive and offset-aware datetimes",),
    ),
    "a map that only grows": (
        "orders/seen.go",
        "+var seen = map[string]time.Time{}\n+\n+func remember(id string) {\n+    seen[id] = time.Now()\n+}\n",
        ("container orders OOMKilled",),
    ),
    "another number of a field": (
        "proto/order.proto",
        "-  string customer_ref = 4;\n+  string customer_ref = 5;\n",
        ("failed to unmarshal Order: wrong wire type for customer_ref",),
    ),
    "another way by default": (
        "orders/flags.py",
        "-USE_NEW_LEDGER = False\n+USE_NEW_LEDGER = True\n",
        ("ledger v2: posting rejected, unbalanced entry",),
    ),
}
HARD: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "nobody confirms": (
        "orders/kafka.yaml",
        "-acks: all\n+acks: 0\n",
        ("order event lost: no acknowledgement",),
    ),
}


def caused(name: str) -> ChangeCase:
    """Make the incident of a fault, among the usual decoys."""
    file, diff, texts = (CULPRITS | MORE | HARD)[name]
    culprit = (commit("culprit", diff, file, minutes=48), "orders", 48.0)
    metrics = [series("orders", "error_ratio", usual=0.01, then=0.6)]
    return incident(
        culprit, *decoys(), told=complaints("orders", *texts), metrics=metrics, text="orders fails"
    )


def causeless() -> dict[str, ChangeCase]:
    """Make incidents that lie outside of the repository, among the usual decoys."""
    errors = series("orders", "error_ratio", usual=0.01, then=0.6)
    tuned = (
        commit("decoy-raised", "-pool_size: 20\n+pool_size: 40\n", "orders/config.yaml", minutes=50),
        "orders",
        50.0,
    )
    told = {
        "a provider says so": complaints("orders", "payment declined: 503 from provider"),
        "a provider does not say so": complaints(
            "orders", "POST https://api.payfast.com/v1/charge: 503 unavailable"
        ),
        "a certificate ran out": complaints("orders", "x509: certificate has expired or is not yet valid"),
        "the disk is full": complaints("orders", "write /var/lib/orders/wal: no space left on device"),
        "one poisoned message": complaints("orders", "cannot parse message message_id=77812; redelivering"),
        "a crowd": complaints("orders", "too many requests waiting, shedding load"),
        "a loud neighbour": complaints("orders", "handler late: cpu contended"),
        "names are not resolved": [
            line
            for service in ("orders", "shop", "mail")
            for line in complaints(service, "dial tcp: lookup ledger.internal: no such host")
        ],
        "the machine is gone": complaints("orders", "node ip-10-0-1-7 NotReady", "connection reset by peer"),
        "the database fails over": complaints("orders", "FATAL: the database system is in recovery mode"),
        "one tenant is too loud": complaints("orders", "rate limited tenant=acme-corp: too many exports"),
        "nobody knows": complaints("orders", "request failed"),
    }
    extra = {
        "a crowd": [series("orders", "http_requests_total_rate", usual=100, then=640)],
        "a loud neighbour": [
            series("node-7", "node_cpu_utilization", usual=0.3, then=0.97),
            series("nightly-report", "container_cpu_cores", usual=0.0, then=6.0),
        ],
    }
    notice = (StatusLine(at=at(58), status="degraded", text="elevated errors of the payments API"),)
    return {
        name: incident(
            tuned,
            *decoys(),
            *lures(),
            told=lines,
            metrics=[errors, *extra.get(name, [])],
            statuses=notice if name == "a provider says so" else (),
            calls=[SpanRecord(service="orders", callers=("shop",), depth=1, failed=True)],
        )
        for name, lines in told.items()
    }
