"""The web: pages and API for people, over the store and the stations' doors."""
