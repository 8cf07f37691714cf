"""Faults of three later rounds, written before their rules: many are missed, and that is what they are for."""

from __future__ import annotations

from bot.diagnosis.commits.case import ChangeCase, Commit
from tests.unit.diagnosis.commits.incidents import (
    commit,
    complaints,
    decoys,
    incident,
    lures,
    series,
)

Faults = dict[str, tuple[str, str, tuple[str, ...]]]

FIFTH: Faults = {
    "jwt leeway removed": (
        "auth/verify.py",
        '-    claims = jwt.decode(raw, key, algorithms=["RS256"], leeway=30)\n+    claims = jwt.decode(raw, key, algorithms=["RS256"])\n',
        (
            "login rejected: ImmatureSignatureError: The token is not yet valid (iat)",
            "401 for /me: token not yet valid",
        ),
    ),
    "gzip double": (
        "edge/middleware.ts",
        "+app.use(compression())\n app.use(routes)\n",
        (
            "client error: ERR_CONTENT_DECODING_FAILED on /feed",
            "incorrect header check while decompressing body",
        ),
    ),
    "case sensitive lookup": (
        "accounts/find.go",
        '-    row := db.QueryRow("SELECT id FROM users WHERE lower(email) = lower($1)", email)\n+    row := db.QueryRow("SELECT id FROM users WHERE email = $1", email)\n',
        ("sign in failed: no user for email", "sql: no rows in result set"),
    ),
    "env default changed": (
        "config/settings.py",
        '-REDIS_URL = os.environ.get("REDIS_URL", "redis://cache:6379/0")\n+REDIS_URL = os.environ["CACHE_URL"]\n',
        ("KeyError: 'CACHE_URL'", "worker failed to boot"),
    ),
    "page token loops": (
        "sync/pull.py",
        "     while True:\n         page = client.list(token=token)\n         handle(page.items)\n-        token = page.next_token\n-        if not token:\n+        if not page.items:\n             break\n",
        (
            "sync of tenant runs for 3900 s, still on page 1",
            "duplicate key value violates unique constraint items_pkey",
        ),
    ),
    "thread pool shared": (
        "src/main/java/Mailer.java",
        "-    private final ExecutorService pool = Executors.newFixedThreadPool(32);\n+    private final ExecutorService pool = Executors.newSingleThreadExecutor();\n",
        ("mail queue depth 18211, oldest 940 s", "RejectedExecutionException: task queue is full"),
    ),
    "utf8 column": (
        "db/migrate/20240301_notes.rb",
        '-    t.text :body, charset: "utf8mb4"\n+    t.text :body, charset: "utf8"\n',
        ("Mysql2::Error: Incorrect string value: '\\xF0\\x9F\\x98\\x80' for column 'body'",),
    ),
    "float money": (
        "pricing/total.js",
        "-  return Math.round(items.reduce((sum, i) => sum + i.cents, 0))\n+  return items.reduce((sum, i) => sum + i.price, 0)\n",
        ("payment refused: amount must be an integer, got 10.299999999999999",),
    ),
    "header dropped": (
        "gateway/proxy.go",
        '     req.Header.Set("X-Request-Id", id)\n-    req.Header.Set("X-Tenant", tenant)\n     return transport.RoundTrip(req)\n',
        ("missing tenant in request, refusing", "400 bad request from catalog: X-Tenant header required"),
    ),
    "async without await": (
        "jobs/close.ts",
        "-    await invoices.markPaid(invoice.id)\n-    await ledger.post(entry)\n+    invoices.markPaid(invoice.id)\n+    ledger.post(entry)\n",
        ("UnhandledPromiseRejection: connection terminated", "ledger entry missing for invoice"),
    ),
    "cron runs every minute": (
        "deploy/cron.yaml",
        '-  schedule: "0 3 * * *"\n+  schedule: "* 3 * * *"\n',
        ("report already running, 41 instances", "cpu saturated by report generation"),
    ),
    "probe path": (
        "deploy/deployment.yaml",
        "   readinessProbe:\n     httpGet:\n-      path: /readyz\n+      path: /ready\n",
        (
            "Readiness probe failed: HTTP probe failed with statuscode: 404",
            "no endpoints available for service",
        ),
    ),
    "security group": (
        "infra/network.tf",
        '-    cidr_blocks = ["10.0.0.0/16"]\n+    cidr_blocks = ["10.0.0.0/24"]\n',
        ("dial tcp 10.0.7.12:5432: i/o timeout", "database unreachable from 10.0.3.4"),
    ),
    "enum value": (
        "proto/status.go",
        " const (\n     Pending Status = iota\n-    Paid\n+    Authorized\n+    Paid\n     Shipped\n )\n",
        ("invoice marked Authorized has no authorization", "status 2 out of order: expected Paid"),
    ),
    "sort on unindexed": (
        "search/list.sql",
        "-ORDER BY id DESC LIMIT 50\n+ORDER BY last_activity DESC LIMIT 50\n",
        ("query cancelled after 30 s: list of conversations", "temporary file: size 812343296"),
    ),
    "cert pin": (
        "mobile/api/pin.go",
        '-var pins = []string{"sha256/AAAA1", "sha256/BBBB2"}\n+var pins = []string{"sha256/AAAA1"}\n',
        ("tls: pinned key mismatch for api.shop.example", "handshake refused by client"),
    ),
    "cache key lost tenant": (
        "app/cache.rb",
        '-    Rails.cache.fetch("cart/#{tenant.id}/#{user.id}") { load_cart }\n+    Rails.cache.fetch("cart/#{user.id}") { load_cart }\n',
        ("cart belongs to another tenant", "authorization failed: cart owner mismatch"),
    ),
    "keepalive": (
        "nginx/upstream.conf",
        " upstream app {\n   server app:8080;\n-  keepalive 64;\n }\n",
        ("connect() failed (99: Cannot assign requested address) while connecting to upstream",),
    ),
    "ulimit": (
        "docker/Dockerfile",
        '-CMD ["sh", "-c", "ulimit -n 65536 && exec server"]\n+CMD ["server"]\n',
        ("accept: too many open files",),
    ),
    "time zone": (
        "billing/period.py",
        "-    start = now.astimezone(ZoneInfo(account.zone)).replace(day=1, hour=0)\n+    start = now.replace(day=1, hour=0)\n",
        ("invoice period overlaps the previous one", "period check failed for account in Pacific/Auckland"),
    ),
    "rounding sql": (
        "stock/reserve.sql",
        "-UPDATE stock SET free = free - $1 WHERE sku = $2 AND free >= $1\n+UPDATE stock SET free = free - $1 WHERE sku = $2\n",
        ("stock check constraint free_not_negative violated", "oversold sku"),
    ),
    "log level": (
        "conf/logback.xml",
        '-  <root level="INFO">\n+  <root level="TRACE">\n',
        ("disk usage of /var/log at 98 %", "write failed: No space left on device"),
    ),
    "retry on 400": (
        "clients/http.py",
        "-    retry=retry_if_exception_type(ServerError),\n+    retry=retry_if_exception_type(Exception),\n",
        ("429 too many requests from crm", "request to crm given up after 5 attempts: 400"),
    ),
    "shutdown grace": (
        "deploy/values.yaml",
        "-terminationGracePeriodSeconds: 60\n+terminationGracePeriodSeconds: 2\n",
        ("upload aborted: connection closed by server", "container killed with exit code 137 before drain"),
    ),
    "serialization lib": (
        "build.gradle",
        "-    implementation 'com.fasterxml.jackson.core:jackson-databind:2.13.4'\n+    implementation 'com.fasterxml.jackson.core:jackson-databind:2.15.0'\n",
        (
            "InvalidDefinitionException: Java 8 date/time type `java.time.Instant` not supported by default",
            "StreamConstraintsException: String length exceeds the maximum length",
        ),
    ),
    "batch commit": (
        "etl/load.py",
        "     for row in rows:\n         cur.execute(INSERT, row)\n-    conn.commit()\n+        conn.commit()\n",
        ("load of nightly batch at 40 rows/s, was 9000", "etl deadline missed"),
    ),
}

SIXTH: Faults = {
    "nullable column": (
        "db/2024_05_add_phone.sql",
        "+ALTER TABLE customers ADD COLUMN phone text NOT NULL;\n",
        ("null value in column phone of relation customers violates not-null constraint",),
    ),
    "regex too strict": (
        "api/validators.rb",
        "-  PHONE = /\\A\\+?[0-9 ()-]{6,20}\\z/\n+  PHONE = /\\A\\+[0-9]{11}\\z/\n",
        ("422 unprocessable: phone is invalid", "signup validation failed phone"),
    ),
    "feature branch url": (
        "web/.env.production",
        "-API_BASE=https://api.acme.example\n+API_BASE=https://api-preview.acme.example\n",
        ("fetch to api-preview.acme.example blocked by CORS policy",),
    ),
    "goroutine per item": (
        "indexer/run.go",
        "-    for _, doc := range docs {\n-        sem <- struct{}{}\n-        go index(doc, sem)\n+    for _, doc := range docs {\n+        go index(doc)\n     }\n",
        ("runtime: goroutine stack exceeds limit", "elasticsearch 429 es_rejected_execution_exception"),
    ),
    "big payload": (
        "gateway/limits.yaml",
        "-client_max_body_size: 50m\n+client_max_body_size: 1m\n",
        ("413 Request Entity Too Large for /uploads",),
    ),
    "transaction isolation": (
        "ledger/db.py",
        '-engine = create_engine(url, isolation_level="READ COMMITTED")\n+engine = create_engine(url, isolation_level="SERIALIZABLE")\n',
        ("could not serialize access due to read/write dependencies among transactions",),
    ),
    "eager loading": (
        "app/models/order.rb",
        "-  scope :recent, -> { includes(:items).order(created_at: :desc) }\n+  scope :recent, -> { order(created_at: :desc) }\n",
        ("slow request /orders 8.2 s: 1801 SELECT items", "statement pool busy"),
    ),
    "dst": (
        "cron/next_run.ts",
        "-  return DateTime.fromISO(last, { zone: tz }).plus({ days: 1 })\n+  return new Date(Date.parse(last) + 86400000)\n",
        ("job digest ran twice on the same day",),
    ),
    "secret name": (
        "k8s/deployment.yaml",
        "             secretKeyRef:\n-              name: payments-db\n+              name: payment-db\n",
        ("CreateContainerConfigError: secret payment-db not found",),
    ),
    "image arch": (
        "Dockerfile",
        "-FROM --platform=linux/amd64 python:3.11-slim\n+FROM --platform=linux/arm64 python:3.11-slim\n",
        ("exec /usr/local/bin/python: exec format error",),
    ),
    "cookie samesite": (
        "auth/session.js",
        "-  sameSite: 'lax',\n+  sameSite: 'strict',\n",
        ("session lost after redirect from identity provider", "state cookie absent on callback"),
    ),
    "integer division": (
        "scoring/avg.py",
        "-    return total / len(votes)\n+    return total // len(votes)\n",
        ("rating check failed: average 4.0 differs from 4.6 in audit",),
    ),
    "unbounded cache": (
        "render/cache.py",
        "-@lru_cache(maxsize=1024)\n+@lru_cache(maxsize=None)\n",
        ("worker killed: memory 3.9 GiB over cgroup limit", "MemoryError"),
    ),
    "stale read": (
        "catalog/repo.go",
        "-    return r.primary.Get(ctx, sku)\n+    return r.replica.Get(ctx, sku)\n",
        ("sku not found right after create", "replica lag 14 s"),
    ),
    "wrong bucket": (
        "export/s3.ts",
        "-  Bucket: process.env.EXPORT_BUCKET,\n+  Bucket: 'acme-exports-dev',\n",
        ("AccessDenied: not authorized to perform s3:PutObject on acme-exports-dev",),
    ),
    "swallowed ctx": (
        "orders/create.go",
        "-    res, err := payments.Charge(ctx, order)\n+    res, err := payments.Charge(context.Background(), order)\n",
        (
            "charges go on after the client went away: 312 goroutines in payments.Charge",
            "request cancelled but card was charged",
        ),
    ),
    "json tag": (
        "events/event.go",
        '-    UserID string `json:"user_id"`\n+    UserID string `json:"userId"`\n',
        ("consumer dropped event: user_id empty",),
    ),
    "acl": (
        "kafka/acls.yaml",
        "-  - principal: User:reporting\n-    operation: READ\n-    topic: orders\n",
        ("TopicAuthorizationException: not authorized to access topics: [orders]",),
    ),
    "queue prefetch": (
        "worker/consumer.py",
        "-channel.basic_qos(prefetch_count=20)\n+channel.basic_qos(prefetch_count=0)\n",
        ("consumer memory 2.1 GB, 90211 unacked messages",),
    ),
    "hpa": (
        "k8s/hpa.yaml",
        "   minReplicas: 3\n-  maxReplicas: 40\n+  maxReplicas: 4\n",
        ("cpu at 98 % on all pods", "HPA: desired replica count is above the maximum"),
    ),
    "encoding": (
        "import/csv.py",
        '-    with open(path, encoding="utf-8-sig") as file:\n+    with open(path) as file:\n',
        ("column '\\ufeffid' not in header", "import failed: unknown column"),
    ),
    "sort order": (
        "feed/page.ts",
        "-    .orderBy('created_at', 'desc')\n+    .orderBy('created_at')\n",
        ("feed test probe: newest post missing from first page",),
    ),
    "panic on empty": (
        "stats/top.go",
        "-    if len(rows) == 0 {\n-        return Stats{}\n-    }\n     return Stats{Best: rows[0]}\n",
        ("panic: runtime error: index out of range [0] with length 0",),
    ),
    "idempotency": (
        "payments/charge.rb",
        "-    gateway.charge(amount, idempotency_key: order.id)\n+    gateway.charge(amount)\n",
        ("customer charged twice for order",),
    ),
}

SEVENTH: Faults = {
    "view removed": (
        "db/drop_view.sql",
        "+DROP VIEW active_subscriptions;\n",
        ('relation "active_subscriptions" does not exist',),
    ),
    "lease shorter": (
        "scheduler/leader.go",
        "-    LeaseDuration: 15 * time.Second,\n+    LeaseDuration: 2 * time.Second,\n",
        ("leader election lost", "two schedulers active at once"),
    ),
    "pagination off by one": (
        "api/list.py",
        "-    offset = (page - 1) * size\n+    offset = page * size\n",
        ("contract test: first page of /list is empty",),
    ),
    "http2": (
        "ingress/values.yaml",
        '-  use-http2: "true"\n+  use-http2: "false"\n',
        ("grpc: received unexpected content type, PROTOCOL_ERROR", "stream terminated by RST_STREAM"),
    ),
    "uuid lower": (
        "ids/parse.kt",
        "-    return UUID.fromString(raw.trim())\n+    return UUID.fromString(raw)\n",
        ("IllegalArgumentException: Invalid UUID string: ' 7f3c'",),
    ),
    "lock order": (
        "transfer/move.go",
        "-    lockBoth(min(a, b), max(a, b))\n+    lockBoth(a, b)\n",
        ("deadlock detected: process 812 waits for ShareLock", "transfer aborted"),
    ),
    "stderr flood": (
        "proxy/debug.go",
        "-    httputil.Debug = false\n+    httputil.Debug = true\n",
        ("log pipeline behind by 900 s", "journal rate limit: suppressed 88211 messages"),
    ),
    "partition key": (
        "stream/produce.ts",
        "-  await producer.send({ topic, messages: [{ key: order.id, value }] })\n+  await producer.send({ topic, messages: [{ value }] })\n",
        ("events out of order for order: shipped before paid",),
    ),
    "max header": (
        "server/main.go",
        "-    MaxHeaderBytes: 1 << 20,\n+    MaxHeaderBytes: 4096,\n",
        ("431 Request Header Fields Too Large",),
    ),
    "role binding": (
        "k8s/rbac.yaml",
        '-  verbs: ["get", "list", "watch"]\n+  verbs: ["get"]\n',
        ("configmaps is forbidden: User cannot list resource configmaps", "informer failed to watch"),
    ),
    "compression level": (
        "backup/run.sh",
        '-zstd -3 -T0 "$dump"\n+zstd -19 -T1 "$dump"\n',
        ("backup not finished after 6 h", "cpu of the database host at 100 %"),
    ),
    "tz column": (
        "db/alter.sql",
        "+ALTER TABLE slots ALTER COLUMN starts_at TYPE timestamp;\n",
        ("slot starts in the past", "booking refused: slot overlaps"),
    ),
    "cors": (
        "api/app.ts",
        "-app.use(cors({ origin: [/acme\\.example$/] }))\n+app.use(cors({ origin: ['https://acme.example'] }))\n",
        ("CORS: origin https://www.acme.example not allowed",),
    ),
    "fanout": (
        "notify/send.py",
        "-    await asyncio.gather(*(limited(send, user) for user in users))\n+    await asyncio.gather(*(send(user) for user in users))\n",
        ("push provider answers 429", "too many open connections to push gateway"),
    ),
    "null object": (
        "profile/avatar.swift",
        "-    let url = user.avatar?.url ?? placeholder\n+    let url = user.avatar!.url\n",
        ("Fatal error: Unexpectedly found nil while unwrapping an Optional value",),
    ),
    "migration lock": (
        "db/index.sql",
        "+CREATE INDEX orders_email ON orders (email);\n",
        ("lock timeout on orders: waiting for ShareLock", "INSERT INTO orders cancelled"),
    ),
    "stale dns": (
        "client/transport.java",
        '-    Security.setProperty("networkaddress.cache.ttl", "30");\n+    Security.setProperty("networkaddress.cache.ttl", "-1");\n',
        ("connect timed out to 10.3.2.1, which is no longer a member",),
    ),
    "template var": (
        "mail/templates/welcome.html",
        "-Hello {{ user.first_name }}\n+Hello {{ user.given_name }}\n",
        ("UndefinedError: 'User object' has no attribute 'given_name'",),
    ),
    "sample weights": (
        "model/serve.yaml",
        "-model_version: 41\n+model_version: 42\n",
        ("feature vector has 118 columns, model expects 121",),
    ),
    "hash algo": (
        "auth/password.go",
        "-    return bcrypt.CompareHashAndPassword(hash, plain)\n+    return argon2.Compare(hash, plain)\n",
        ("sign in failed: hash has wrong prefix $2a$",),
    ),
    "double encode": (
        "links/build.py",
        "-    return base + quote(path)\n+    return base + quote(quote(path))\n",
        ("404 for /files/annual%2520report.pdf",),
    ),
    "worker concurrency": (
        "celery.conf",
        "-worker_concurrency = 8\n+worker_concurrency = 64\n",
        ("FATAL: remaining connection slots are reserved", "too many clients already"),
    ),
}

CAUSELESS: dict[str, tuple[str, ...]] = {
    "provider 500 (6)": ("stripe: 500 internal error from api.stripe.com", "charge failed"),
    "dns (6)": ("getaddrinfo ENOTFOUND db.internal",),
    "disk (6)": ("could not extend file base/16384: No space left on device",),
    "spot (6)": ("pod evicted: node was low on resource", "SIGTERM received"),
    "cert (6)": ("certificate verify failed: certificate has expired",),
    "slow nothing (6)": ("request took 9 s",),
    "bad client (6)": ("400 bad request: malformed JSON from client ios/3.2",),
    "quota (6)": ("429 from maps.googleapis.com: quota exceeded for project",),
    "db failover (6)": ("cannot execute INSERT in a read-only transaction",),
    "vague (6)": ("unexpected failure", "giving up"),
    "huge tenant (6)": ("query timeout tenant=4411", "tenant=4411 has 9000000 rows"),
    "clock (6)": ("token not yet valid on node-12",),
    "provider (7)": ("502 bad gateway from api.twilio.com", "sms not sent"),
    "az (7)": ("availability zone eu-west-1b impaired", "connection reset by peer"),
    "neighbour (7)": ("cpu steal 61 %", "request slow"),
    "expired key (7)": ("401 from api.sendgrid.com: api key expired",),
    "user error (7)": ("upload rejected: file is not an image",),
    "poison (7)": ("cannot decode message offset=88123", "same offset again offset=88123"),
    "unclear (7)": ("assertion failed",),
    "disk (7)": ("write failed: No space left on device",),
    "ddos (7)": ("connection queue overflow, dropping SYN",),
    "db restart (7)": ("the database system is starting up",),
}

TEMPTING = [
    (
        commit("lure-timeout", "-  timeout_ms: 2000\n+  timeout_ms: 900\n", "orders/http.yaml", minutes=51),
        "orders",
        51.0,
    ),
    (
        commit(
            "lure-guard",
            "-    with lock:\n-        total = sum(x)\n+    total = sum(x)\n",
            "orders/sum.py",
            minutes=54,
        ),
        "orders",
        54.0,
    ),
]


def caused_by(fault: tuple[str, str, tuple[str, ...]]) -> ChangeCase:
    """Make the incident of a fault, among harmless changes and dangerous ones."""
    file, diff, texts = fault
    culprit = (commit("culprit", diff, file, minutes=48), "orders", 48.0)
    return _incident(culprit, texts=texts)


def caused_by_none(texts: tuple[str, ...]) -> ChangeCase:
    """Make an incident that no commit caused, with two more that would do for many others."""
    return _incident(*TEMPTING, texts=texts)


def _incident(*changes: tuple[Commit, str, float], texts: tuple[str, ...]) -> ChangeCase:
    return incident(
        *changes,
        *decoys(),
        *lures(),
        told=complaints("orders", *texts),
        metrics=[series("orders", "error_ratio", usual=0.01, then=0.6)],
        text="orders fails",
    )
