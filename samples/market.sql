-- A small shop. Creates it anew: what was in these tables before is gone.
BEGIN;

DROP TABLE IF EXISTS order_items;
DROP TABLE IF EXISTS orders;
DROP TABLE IF EXISTS customer;
DROP TABLE IF EXISTS address;
DROP TABLE IF EXISTS item;

CREATE TABLE item (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  price DECIMAL NOT NULL CHECK (price >= 0),
  description TEXT
);

CREATE TABLE address (
  id INTEGER PRIMARY KEY,
  flat_number TEXT NOT NULL,
  post_code TEXT NOT NULL
);

CREATE TABLE customer (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  address_id INTEGER REFERENCES address (id)
);

CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customer (id),
  order_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE order_items (
  order_id INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
  item_id INTEGER NOT NULL REFERENCES item (id),
  quantity INTEGER NOT NULL DEFAULT 1 CHECK (quantity > 0),
  PRIMARY KEY (order_id, item_id)
);

CREATE INDEX orders_by_customer ON orders (customer_id);
CREATE INDEX order_items_by_item ON order_items (item_id);

INSERT INTO item (id, name, price, description) VALUES
  (1, 'Milk', 5, 'One litre; keep it cool'),
  (2, 'Kit Kat', 1, 'Four fingers'),
  (3, 'Bread', 10.5, 'Rye, baked this morning'),
  (4, 'Onion', 2, NULL);

INSERT INTO address (id, flat_number, post_code) VALUES
  (1, '12', 'EH1 1YZ'),
  (2, '3B', 'G12 8QQ');

INSERT INTO customer (id, name, address_id) VALUES
  (1, 'Alex', 1),
  (2, 'Blake', 2),
  (3, 'Cam', NULL);

INSERT INTO orders (id, customer_id, order_time) VALUES
  (1, 1, '2024-03-01 09:30:00'),
  (2, 1, '2024-03-08 17:45:10'),
  (3, 2, '2024-03-09 12:00:00');

INSERT INTO order_items (order_id, item_id, quantity) VALUES
  (1, 1, 2),
  (1, 3, 1),
  (2, 2, 6),
  (3, 1, 1),
  (3, 2, 1),
  (3, 4, 4);

COMMIT;
