"""The loop as people see and steer it: schedule, decisions, advances, status, feed."""
